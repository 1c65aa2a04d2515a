/** What a run of one seed ended with. */
export interface SimResult {
  readonly ok: boolean
  /** What the seed drew: printed first, so that a failure can be read. */
  readonly options: object
  /** What happened, counted. */
  readonly stats: Readonly<Record<string, number>>
  /** Why it failed, and the last things that happened. */
  readonly failure?: string
  readonly trace?: readonly string[]
}

/** A deterministic simulation: the same seed gives the same run. */
export interface Simulation {
  readonly name: string
  run(seed: number): Promise<SimResult>
}

/**
 * The start of a stream of random numbers for a seed. The first numbers of neighbouring starts are alike: taken as they
 * are, a whole run of seeds would draw worlds of the same size.
 */
export function streamStart(seed: number, stream = 0x9e3779b1): number {
  return Math.imul(seed + 1, stream)
}

/** Thrown by a checker when an invariant does not hold. */
export class InvariantBroken extends Error {
  override name = 'InvariantBroken'
}

/** Checks an invariant of the simulated system. */
export function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantBroken(message)
}
