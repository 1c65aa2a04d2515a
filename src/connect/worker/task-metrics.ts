import type { MetricSample, RunState, TaskId } from './worker.ts'

/** The counters of task-error-metrics. */
export class ErrorCounters {
  failures = 0
  errors = 0
  skipped = 0
  retries = 0
  logged = 0
  dlqRequests = 0
  dlqFailures = 0
  lastErrorMs = 0
}

/** Largest and average of a quantity since the task started. */
export class Spread {
  #count = 0
  #sum = 0
  max = 0

  add(value: number): void {
    this.#count++
    this.#sum += value
    if (value > this.max) this.max = value
  }

  get average(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count
  }
}

/** How many a second over the last half minute, as Kafka's rates. */
class Rate {
  readonly #points: { readonly ms: number; readonly value: number }[] = []

  constructor(nowMs: number) {
    this.#points.push({ ms: nowMs, value: 0 })
  }

  at(nowMs: number, value: number): number {
    const points = this.#points
    points.push({ ms: nowMs, value })
    while (points.length > 2 && nowMs - points[1]!.ms >= RATE_WINDOW_MS) points.shift()
    const first = points[0]!
    return nowMs > first.ms ? ((value - first.value) * 1000) / (nowMs - first.ms) : 0
  }
}

const RATE_WINDOW_MS = 30_000

/** Everything a task counts; plain fields, because hot loops write them. */
export class TaskCounters {
  readonly error = new ErrorCounters()
  /** Sources: polled from the plugin. Sinks: read from the log. */
  recordsIn = 0
  /** Sources: acknowledged by the log. Sinks: handed to the plugin. */
  recordsOut = 0
  /** Sources: neither produced nor to be produced. */
  recordsDropped = 0
  commits = 0
  commitFailures = 0
  commitsSkipped = 0
  readonly batchSize = new Spread()
  readonly commitMs = new Spread()
  /** Time in `poll` or `put`. */
  readonly callMs = new Spread()
  readonly active = new Spread()
  activeNow = 0
  lagMax = 0
  partitions = 0
  /** Monotonic time of the last change of state, and the time spent running and paused before it. */
  #sinceMs: number
  #runningMs = 0
  #pausedMs = 0
  #state: RunState = 'UNASSIGNED'
  readonly #startedMs: number
  readonly #rates: { readonly in: Rate; readonly out: Rate; readonly commits: Rate; readonly skips: Rate }

  constructor(nowMs: number) {
    const rate = () => new Rate(nowMs)
    this.#rates = { in: rate(), out: rate(), commits: rate(), skips: rate() }
    this.#startedMs = nowMs
    this.#sinceMs = nowMs
  }

  get state(): RunState {
    return this.#state
  }

  enter(state: RunState, nowMs: number): void {
    this.#settle(nowMs)
    this.#state = state
  }

  #settle(nowMs: number): void {
    const spent = nowMs - this.#sinceMs
    if (this.#state === 'RUNNING') this.#runningMs += spent
    else if (this.#state === 'PAUSED') this.#pausedMs += spent
    this.#sinceMs = nowMs
  }

  /** The numbers under the names of Kafka Connect's metrics. */
  samples(id: TaskId, kind: 'source' | 'sink', nowMs: number): MetricSample[] {
    this.#settle(nowMs)
    const lifeMs = Math.max(1, nowMs - this.#startedMs)
    const labels = { connector: id.connector, task: String(id.task) }
    const commits = Math.max(1, this.commits + this.commitFailures)
    const result: MetricSample[] = []
    const add = (group: string, values: Readonly<Record<string, number>>) => {
      for (const [name, value] of Object.entries(values)) result.push({ group, name, labels, value })
    }
    result.push({
      group: 'connector-task-metrics',
      name: 'status',
      labels: { ...labels, status: this.#state.toLowerCase() },
      value: 1,
    })
    add('connector-task-metrics', {
      'running-ratio': this.#runningMs / lifeMs,
      'pause-ratio': this.#pausedMs / lifeMs,
      'offset-commit-max-time-ms': this.commitMs.max,
      'offset-commit-avg-time-ms': this.commitMs.average,
      'offset-commit-success-percentage': this.commits / commits,
      'offset-commit-failure-percentage': this.commitFailures / commits,
      'batch-size-max': this.batchSize.max,
      'batch-size-avg': this.batchSize.average,
    })
    add(`${kind}-task-metrics`, kind === 'source' ? this.#source(nowMs) : this.#sink(nowMs))
    add('task-error-metrics', {
      'total-record-failures': this.error.failures,
      'total-record-errors': this.error.errors,
      'total-records-skipped': this.error.skipped,
      'total-retries': this.error.retries,
      'total-errors-logged': this.error.logged,
      'deadletterqueue-produce-requests': this.error.dlqRequests,
      'deadletterqueue-produce-failures': this.error.dlqFailures,
      'last-error-timestamp': this.error.lastErrorMs,
    })
    return result
  }

  #source(nowMs: number): Record<string, number> {
    return {
      'source-record-poll-total': this.recordsIn,
      'source-record-poll-rate': this.#rates.in.at(nowMs, this.recordsIn),
      'source-record-write-total': this.recordsOut,
      'source-record-write-rate': this.#rates.out.at(nowMs, this.recordsOut),
      'poll-batch-max-time-ms': this.callMs.max,
      'poll-batch-avg-time-ms': this.callMs.average,
      'source-record-active-count': this.recordsIn - this.recordsOut - this.recordsDropped,
      'source-record-active-count-max': this.active.max,
      'source-record-active-count-avg': this.active.average,
    }
  }

  #sink(nowMs: number): Record<string, number> {
    return {
      'sink-record-read-total': this.recordsIn,
      'sink-record-read-rate': this.#rates.in.at(nowMs, this.recordsIn),
      'sink-record-send-total': this.recordsOut,
      'sink-record-send-rate': this.#rates.out.at(nowMs, this.recordsOut),
      'sink-record-lag-max': this.lagMax,
      'partition-count': this.partitions,
      'offset-commit-seq-no': this.commits + this.commitFailures,
      'offset-commit-completion-total': this.commits,
      'offset-commit-completion-rate': this.#rates.commits.at(nowMs, this.commits),
      'offset-commit-skip-total': this.commitsSkipped,
      'offset-commit-skip-rate': this.#rates.skips.at(nowMs, this.commitsSkipped),
      'put-batch-max-time-ms': this.callMs.max,
      'put-batch-avg-time-ms': this.callMs.average,
      'sink-record-active-count': this.activeNow,
      'sink-record-active-count-max': this.active.max,
      'sink-record-active-count-avg': this.active.average,
    }
  }
}
