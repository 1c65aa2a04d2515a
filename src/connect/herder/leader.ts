import type { Clock, Logger, Random, Timer } from '../../base/index.ts'
import type { ConfigStore } from '../stores/config-store.ts'
import type { StatusStore } from '../stores/status-store.ts'
import { sessionKeyRecord } from './config-records.ts'
import type { LeaderDecision, LeaderView } from './membership.ts'
import { connectorOf, waitingText } from './placement.ts'
import { generateSessionKey, remainingKeyMs, type SessionKeySettings } from './session-keys.ts'
import type { Status } from './status-state.ts'
import { within } from './within.ts'
import { parseTaskKey, type WorkKind, workKinds } from './work.ts'

export interface LeaderOptions {
  readonly workerId: string
  readonly config: ConfigStore
  readonly statuses: StatusStore
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Null while internal requests are not signed. */
  readonly sessionKeys: () => SessionKeySettings | null
  /** How long the group waits for the statuses of vanished workers to be written. */
  readonly statusWriteMsMax: number
}

/** What a worker without REST tells as its URL, as MirrorMaker 2 does. */
export const NO_URL = 'NOTUSED'

/** `host:port` of the URL by which a worker is reached: its worker id, but for what stands behind a slash in it. */
export function workerIdOf(url: string): string {
  return url.replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '')
}

/** What only the leader of the group does: it knows who owns what, keeps the session key fresh and the statuses true. */
export class Leader {
  private readonly options: LeaderOptions
  private leading = false
  private readonly owners = { connectors: new Map<string, string>(), tasks: new Map<string, string>() }
  private keyTimer: Timer | null = null

  constructor(options: LeaderOptions) {
    this.options = options
  }

  isLeading(): boolean {
    return this.leading
  }

  /** Where a connector or task runs; undefined when it has no owner or this worker does not lead. */
  owner(kind: WorkKind, key: string): string | undefined {
    return this.owners[kind].get(key)
  }

  view(): LeaderView {
    const { config } = this.options
    return {
      configured: config.state.configured(),
      required: config.state.requirements(),
      configOffset: config.state.offset,
    }
  }

  async onDecision(decision: LeaderDecision): Promise<void> {
    for (const kind of workKinds) {
      this.owners[kind].clear()
      for (const { url, work } of decision.members) for (const key of work[kind]) this.owners[kind].set(key, url)
    }
    const alive = new Set(decision.members.map((member) => workerIdOf(member.url)))
    // Workers without REST cannot be told apart, so nobody knows whose statuses are of the past.
    if (!alive.has(NO_URL)) this.correctVanished(alive)
    for (const kind of workKinds) {
      for (const key of decision.waiting[kind]) this.sayWhyItWaits(kind, key, decision)
    }
    // The new owners speak after this: a late UNASSIGNED of the leader, or a late deletion of the status of a connector
    // that exists again, must not follow their RUNNING.
    const { clock, statuses, statusWriteMsMax } = this.options
    await within(clock, statusWriteMsMax, statuses.flush())
  }

  /**
   * Statuses that name workers which are gone would go on saying RUNNING for ever. A correction keeps the generation of
   * what it corrects: should it come late all the same, it is outdated beside what the new owner has said.
   */
  private correctVanished(alive: ReadonlySet<string>): void {
    const { statuses } = this.options
    const isStale = (status: Status | undefined): status is Status =>
      status !== undefined && status.state !== 'UNASSIGNED' && !alive.has(workerIdOf(status.workerId))
    const corrected = (status: Status): Status => ({ ...status, state: 'UNASSIGNED', trace: null })
    for (const kind of workKinds) {
      for (const key of statuses.state.keys(kind)) {
        const status = statuses.state.get(kind, key)
        if (isStale(status)) statuses.put(kind, key, corrected(status))
      }
    }
  }

  /** What no worker has the labels for would else show the status of its last owner, or none. */
  private sayWhyItWaits(kind: WorkKind, key: string, { generation, members }: LeaderDecision): void {
    const { config, statuses, workerId, logger } = this.options
    const connector = connectorOf(kind, key)
    const required = config.state.requiredLabels('connectors', connector)
    const trace = waitingText(
      required,
      members.map(({ labels }) => labels),
    )
    const last = statuses.state.get(kind, key)
    if (last?.state === 'UNASSIGNED' && last.trace === trace) return
    logger.warn(kind === 'connectors' ? { connector } : parseTaskKey(key), trace)
    // A group that was empty counts its generations from the start; what is said of the last owner is not too old then.
    const notOutdated = Math.max(generation, last?.generation ?? 0)
    statuses.putSafely(kind, key, { state: 'UNASSIGNED', trace, workerId, generation: notOutdated, version: null })
  }

  /** Called after each rebalance. */
  onRebalanced(isLeader: boolean): void {
    this.leading = isLeader
    if (!isLeader) {
      for (const kind of workKinds) this.owners[kind].clear()
      this.keyTimer?.cancel()
      return
    }
    this.forgetDeleted()
    void this.rotateKey()
  }

  stop(): void {
    this.leading = false
    this.keyTimer?.cancel()
  }

  /** Deletes the statuses of what is no longer configured. */
  forgetDeleted(): void {
    const { config, statuses } = this.options
    for (const kind of workKinds) {
      for (const key of statuses.state.keys(kind)) {
        if (!config.state.isConfigured(kind, key)) statuses.delete(kind, key)
      }
    }
    for (const name of statuses.state.connectorsWithTopics()) {
      if (!config.state.has(name)) statuses.deleteTopics(name)
    }
  }

  private async rotateKey(): Promise<void> {
    const { config, clock, random, logger } = this.options
    this.keyTimer?.cancel()
    const sessionKeys = this.options.sessionKeys()
    if (!sessionKeys) return
    try {
      if (remainingKeyMs(config.state.sessionKey(), sessionKeys, clock.now()) === 0) {
        await config.write([sessionKeyRecord(generateSessionKey(sessionKeys, random, clock.now()))])
        logger.info({}, 'distributed a new session key')
      }
    } catch (error) {
      logger.error({ err: error }, 'the session key could not be written; trying again')
    }
    if (!this.leading) return
    const remainingMs = remainingKeyMs(config.state.sessionKey(), sessionKeys, clock.now())
    this.keyTimer = clock.setTimer(Math.max(remainingMs, KEY_RETRY_MS), () => void this.rotateKey(), { unref: true })
  }
}

const KEY_RETRY_MS = 1000
