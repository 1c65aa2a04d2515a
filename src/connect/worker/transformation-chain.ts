import type { ConnectRecord, Predicate, Transform } from '@millrace/sdk'
import { JoinedSteps } from './joined-steps.ts'

/** One configured step of a chain: a transformation, perhaps only for records that a predicate picks. */
export interface ChainStep {
  readonly alias: string
  /** The class as the user wrote it, for error reports. */
  readonly className: string
  readonly transform: Transform
  readonly predicate: Predicate | null
  readonly negate: boolean
}

/**
 * Applies transformations in the order of `transforms`; null drops the record and ends the chain. When a step throws,
 * `failedStep` and `failedRecord` tell where, so that the caller can go on from there without repeating earlier steps.
 */
export class TransformationChain<R extends ConnectRecord> {
  readonly steps: readonly ChainStep[]
  /** Per step, what may take it and those after it together. */
  readonly #joined: readonly (JoinedSteps | undefined)[]
  failedStep = 0
  failedRecord: R | undefined

  constructor(steps: readonly ChainStep[]) {
    this.steps = steps
    this.#joined = steps.map((_, index) => JoinedSteps.at(steps, index))
  }

  get isEmpty(): boolean {
    return this.steps.length === 0
  }

  apply(record: R): R | null {
    const { steps } = this
    let current = record
    for (let index = 0; index < steps.length; index++) {
      const joined = this.#joined[index]
      const made = joined?.apply(current)
      if (joined && made) {
        current = made
        index = joined.end - 1
        continue
      }
      try {
        const next = applyStep(steps[index]!, current)
        if (next === null) return null
        current = next
      } catch (error) {
        this.failedStep = index
        this.failedRecord = current
        throw error
      }
    }
    return current
  }

  close(): void {
    for (const { transform, predicate } of this.steps) {
      transform.close?.()
      predicate?.close?.()
    }
  }
}

/** One step on one record. */
export function applyStep<R extends ConnectRecord>(step: ChainStep, record: R): R | null {
  if (step.predicate && step.predicate.test(record) === step.negate) return record
  return step.transform.apply(record)
}
