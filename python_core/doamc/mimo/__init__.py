"""Two coupled arrays that sound a channel through analog beams: eqs. (1)-(3) of the source paper."""
