"""Reading files of any content within bounds, and writing them so that nobody finds half of one."""
