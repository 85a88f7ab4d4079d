"""The Rosenbrock method Rodas5P: coefficients of order 5 with an embedded order 4, L-stable, for stiff sorption.

For y' = f(y) the stages solve (1/(γh) I - J) U_i = f(y + Σ_j A_ij U_j) + Σ_j C_ij U_j/h, and the step ends at
y + Σ_j B_j U_j; the last stage is the difference to the embedded solution. No nonlinear system is solved, linear
invariants (the mass) are kept to rounding, and on a linear wave the phase error is of order 6.
Coefficients: Steinebach, BIT Numer. Math. 63, 27 (2023), doi:10.1007/s10543-023-00967-x, in the form of Hairer and
Wanner, Solving Ordinary Differential Equations II, section IV.7.
"""

import numpy as np

from gcfit.chromatogram import Array

STAGES = 8
GAMMA = 0.21193756319429014
EMBEDDED_ORDER = 4
_LAST = (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946)
_A_ROWS: tuple[tuple[float, ...], ...] = (
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    _LAST,
    (*_LAST, 1.0),
    (*_LAST, 1.0, 1.0),
)
_C_ROWS: tuple[tuple[float, ...], ...] = (
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (
        *(30.91273214028599, -3.1208243349937974, 77.79954646070892),
        *(34.28646028294783, -19.097331116725623, -28.087943162872662),
    ),
    (
        *(37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047),
        *(-40.06618937091002, -54.66780262877968, -9.48861652309627),
    ),
)


def _lower(rows: tuple[tuple[float, ...], ...]) -> Array:
    """Return the strictly lower triangular matrix with these rows from the second on."""
    matrix = np.zeros((STAGES, STAGES))
    for number, row in enumerate(rows, 1):
        matrix[number, : len(row)] = row
    return matrix


A = _lower(_A_ROWS)
C = _lower(_C_ROWS)
B = A[-1] + np.eye(STAGES)[-1]
# rows of the dense output of order 4: y(t + θh) = (1-θ) y0 + θ (y1 + (1-θ)(K1 + θ (K2 + θ K3))), K = DENSE @ U
DENSE = np.array(
    (
        (
            *(25.948786856663858, -2.5579724845846235, 10.433815404888879, -2.3679251022685204),
            *(0.524948541321073, 1.1241088310450404, 0.4272876194431874, -0.17202221070155493),
        ),
        (
            *(-9.91568850695171, -0.9689944594115154, 3.0438037242978453, -24.495224566215796),
            *(20.176138334709044, 15.98066361424651, -6.789040303419874, -6.710236069923372),
        ),
        (
            *(11.419903575922262, 2.8879645146136994, 72.92137995996029, 80.12511834622643),
            *(-52.072871366152654, -59.78993625266729, -0.15582684282751913, 4.883087185713722),
        ),
    )
)
STATES = A + np.eye(STAGES)
# weights of the integral of a linear functional φ of the state over a step: h Σ_i w_i φ(y + Σ_j STATES_ij U_j)
INTEGRAL = GAMMA * np.linalg.solve((np.eye(STAGES) - GAMMA * C).T, B)


def dense(fraction: Array, start: Array, end: Array, increments: Array) -> Array:
    """Solution inside a step.

    Parameters
    ----------
    fraction : ndarray, shape (k,)
        Places in the step, from 0 to 1.
    start, end : ndarray, shape (m,)
        Values at the ends of the step.
    increments : ndarray, shape (8, m)
        Stages U of the same values.

    Returns
    -------
    ndarray, shape (k, m)
    """
    first, second, third = DENSE @ increments
    part = fraction[:, None]
    inside: Array = (1 - part) * start + part * (end + (1 - part) * (first + part * (second + part * third)))
    return inside
