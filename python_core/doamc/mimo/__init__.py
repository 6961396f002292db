"""Two coupled arrays that sound a channel through analog beams: [Luo-Fung] eqs. (1)-(3)."""
