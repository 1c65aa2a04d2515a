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

/** Runs one check to its result. `waived` is the author's reason why it does not apply. */
export async function runCheck(check: Check, waived?: string): Promise<CheckResult> {
  const { name, title } = check
  if (waived !== undefined) return { check: name, title, outcome: 'not applicable', reason: waived }
  try {
    await check.run()
    return { check: name, title, outcome: 'passed' }
  } catch (error) {
    const outcome = error instanceof NotApplicable ? 'not applicable' : 'failed'
    return { check: name, title, outcome, reason: messageOf(error) }
  }
}

/** Runs checks one after another: each has the process for itself, as some of them measure it. */
export async function runChecks(
  checks: readonly Check[],
  waivers: Readonly<Record<string, string | undefined>> = {},
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) results.push(await runCheck(check, waivers[check.name]))
  return results
}
