import { connectGroupSimulation } from './connect-group-sim.ts'
import { groupSimulation } from './group-sim.ts'
import { logSimulation } from './log-sim.ts'
import type { Simulation } from './simulation.ts'

/** All simulations, in the order they run. */
export const SIMULATIONS: readonly Simulation[] = [logSimulation, groupSimulation, connectGroupSimulation]
