"""Files of any content: how they are read within bounds, and written so that nobody meets half of one."""
