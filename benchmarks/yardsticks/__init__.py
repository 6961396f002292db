"""What is known exactly or by independent formulas: the library is judged by it, in benchmarks and in tests."""
