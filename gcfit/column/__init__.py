"""The column (`system`, `flow`, `scales`) and what comes out of it (`laplace`, `quadrature`, `numerical`)."""
