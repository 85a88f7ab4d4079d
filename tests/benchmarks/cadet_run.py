"""One linear component in CADET-Core, timed; runs in an environment of its own and knows nothing of gcfit.

Reads one JSON object from stdin (column, kinetics, times, discretisation), writes one to stdout (outlet,
seconds that the solver measures itself, seconds of the processor).
"""

import json
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory

import cadet_core
from cadet import Cadet


def model_of(case: dict) -> Cadet:
    """A lumped rate model without pores; with a porosity of 1/2 the phase ratio is 1, so k_a is α k_a."""
    model = Cadet(install_path=Path(cadet_core.__file__).parent)
    root = model.root.input
    root.model.nunits = 2
    inlet, column = root.model.unit_000, root.model.unit_001
    inlet.unit_type, inlet.ncomp, inlet.inlet_type = "INLET", 1, "PIECEWISE_CUBIC_POLY"
    for section, level in (("sec_000", 1.0), ("sec_001", 0.0)):
        inlet[section].const_coeff, inlet[section].lin_coeff = [level], [0.0]
        inlet[section].quad_coeff, inlet[section].cube_coeff = [0.0], [0.0]
    column.unit_type, column.ncomp, column.nbound = "LUMPED_RATE_MODEL_WITHOUT_PORES", 1, [1]
    column.col_length, column.total_porosity, column.velocity = 1.0, 0.5, 1.0 / case["hold_up"]
    column.col_dispersion, column.init_c, column.init_q = 0.0, [0.0], [0.0]
    column.adsorption_model = "LINEAR"
    column.adsorption.is_kinetic = 1
    column.adsorption.lin_ka, column.adsorption.lin_kd = [case["adsorption"]], [case["desorption"]]
    grid = column.discretization
    if case["method"] == "DG":
        grid.spatial_method, grid.polydeg, grid.nelem, grid.exact_integration = "DG", 4, case["cells"], 0
    else:
        grid.spatial_method, grid.ncol, grid.reconstruction = "FV", case["cells"], "WENO"
        grid.weno.boundary_model, grid.weno.weno_eps, grid.weno.weno_order = 0, 1e-10, 3
    grid.use_analytic_jacobian = 1
    grid.gs_type, grid.max_krylov, grid.max_restarts, grid.schur_safety = 1, 0, 10, 1e-8
    root.model.solver.gs_type, root.model.solver.max_krylov = 1, 0
    root.model.solver.max_restarts, root.model.solver.schur_safety = 10, 1e-8
    connections = root.model.connections
    connections.nswitches, connections.switch_000.section = 1, 0
    connections.switch_000.connections = [0, 1, -1, -1, 1.0]
    sections = root.solver.sections
    sections.nsec, sections.section_times = 2, [0.0, case["duration"], case["times"][-1]]
    sections.section_continuity = [0]
    root.solver.user_solution_times, root.solver.nthreads = case["times"], 1
    time = root.solver.time_integrator
    time.abstol, time.reltol, time.algtol, time.init_step_size, time.max_steps = *case["tolerances"], 1e-8, 1e-8, 10**6
    root["return"].split_components_data, root["return"].unit_001.write_solution_outlet = 0, 1
    return model


def main() -> None:
    case = json.load(sys.stdin)
    model = model_of(case)
    with TemporaryDirectory() as folder:
        model.filename = str(Path(folder) / "case.h5")
        model.save()
        result = model.run_simulation()
        if result.return_code != 0:
            sys.exit(f"CADET-Core stopped: {result.error_message}")
    # time_sim is what the solver measures itself: without start, files and Python
    outlet = model.root.output.solution.unit_001.solution_outlet[:, 0].tolist()
    processor = getrusage(RUSAGE_CHILDREN).ru_utime
    json.dump({"outlet": outlet, "wall_s": float(model.root.meta.time_sim), "cpu_s": processor}, sys.stdout)


if __name__ == "__main__":
    main()
