/** How a check ended. Not applicable: the plugin has nothing that could be checked so; the reason says what. */
export type Outcome = 'passed' | 'failed' | 'not applicable'

/** What came of one check. */
export interface CheckResult {
  /** The stable name, for example `resume`. */
  readonly check: string
  /** The behaviour that is asked for, as a sentence. */
  readonly title: string
  readonly outcome: Outcome
  /** What was seen instead, or why the check does not apply. */
  readonly reason?: string
}

/** One behaviour that a plugin must have. `run` throws where it does not. */
export interface Check<Name extends string = string> {
  readonly name: Name
  readonly title: string
  run(): Promise<void>
}

/** Thrown by a check that has nothing to look at. */
export class NotApplicable extends Error {
  override name = 'NotApplicable'
}

/** Ends a check that has nothing to look at. */
export function notApplicable(reason: string): never {
  throw new NotApplicable(reason)
}

/** Fails a check unless the condition holds. The message says what was seen and what the contract asks. */
export function expectThat(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new Error(typeof message === 'string' ? message : message())
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The result where the author says why a check does not apply. */
export function waive({ name, title }: Check, reason: string): CheckResult {
  return { check: name, title, outcome: 'not applicable', reason }
}

/** Runs one check to its result, with the error of one that failed. */
export async function runCheck({ name, title, run }: Check): Promise<CheckResult & { readonly error?: unknown }> {
  try {
    await run()
    return { check: name, title, outcome: 'passed' }
  } catch (error) {
    const result = { check: name, title, reason: messageOf(error) }
    if (error instanceof NotApplicable) return { ...result, outcome: 'not applicable' }
    return { ...result, outcome: 'failed', error: error ?? new Error('nothing was thrown') }
  }
}

/** Runs checks one after another: each has the process for itself, as some of them measure it. */
export async function runChecks(
  checks: readonly Check[],
  waivers: Readonly<Record<string, string | undefined>> = {},
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    const waived = waivers[check.name]
    const { error: _, ...result }: CheckResult & { readonly error?: unknown } =
      waived === undefined ? await runCheck(check) : waive(check, waived)
    results.push(result)
  }
  return results
}
