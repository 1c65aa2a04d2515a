import type { RawConfig } from '@millrace/sdk'
import { type Clock, type Logger, sleep } from '../../base/index.ts'
import { type ConnectHerder, HerderError, RequestTargetError } from '../../connect/index.ts'
import type { Flow, FlowConnector } from './flows.ts'
import { isTrue } from './flows.ts'

/** What is asked of a herder. */
export type ConnectorWriter = Pick<ConnectHerder, 'putConnectorConfig' | 'deleteConnector'> & {
  configuration(): Pick<ReturnType<ConnectHerder['configuration']>, 'config'>
}

export interface FlowConnectorsOptions {
  readonly flow: Flow
  readonly herder: () => ConnectorWriter
  readonly clock: Clock
  readonly logger: Logger
  /** The file gives a connector a configuration that it refuses. */
  readonly onRefused: (error: Error) => void
}

const RETRY_MS = 1000

/**
 * Gives a flow the connectors of the file whenever this worker becomes the leader of its group, as MirrorMaker does: what
 * is in the group already is left alone when it is the same.
 */
export class FlowConnectors {
  private readonly options: FlowConnectorsOptions
  private leads = false
  /** Counts the times that this worker became the leader: what an earlier time began ends. */
  private term = 0

  constructor(options: FlowConnectorsOptions) {
    this.options = options
  }

  onRebalanced(isLeader: boolean): void {
    const becomesLeader = isLeader && !this.leads
    this.leads = isLeader
    if (!becomesLeader) return
    this.term++
    void this.configureAll(this.term)
  }

  stop(): void {
    this.leads = false
  }

  private isOver(term: number): boolean {
    return !this.leads || this.term !== term
  }

  private async configureAll(term: number): Promise<void> {
    for (const connector of this.options.flow.connectors) {
      while (!this.isOver(term) && !(await this.configure(connector))) await sleep(this.options.clock, RETRY_MS)
    }
  }

  /** False when it has to be tried again. */
  private async configure({ name, config }: FlowConnector): Promise<boolean> {
    const { flow, logger, onRefused } = this.options
    const herder = this.options.herder()
    const stored = herder.configuration().config(name)
    try {
      if (cannotTranslate(name, config)) {
        // MirrorMaker refuses it too, and leaves an older one running; off is off here.
        logger.warn(
          { connector: name },
          `no consumer groups are mirrored for ${flow.name}: what they need is switched off`,
        )
        if (stored !== null) await herder.deleteConnector(name)
      } else if (stored === null || !isSame(stored, config)) {
        await herder.putConnectorConfig(name, config)
        logger.info({ connector: name }, `configured for ${flow.name}`)
      }
      return true
    } catch (error) {
      // Whoever leads now does it.
      if (error instanceof RequestTargetError) return true
      if (error instanceof HerderError && error.code === 'BAD_REQUEST') {
        onRefused(new Error(`${flow.name}: ${error.message}`))
        return true
      }
      logger.warn({ connector: name, err: error }, `could not be configured for ${flow.name}; trying again`)
      return false
    }
  }
}

function isSame(a: RawConfig, b: RawConfig): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

/** The mirror of consumer groups has nothing to do without checkpoints, and can do nothing without offset syncs. */
function cannotTranslate(name: string, config: RawConfig): boolean {
  const isOff = (key: string) => config[key]?.trim().toLowerCase() === 'false'
  const off = isOff('emit.checkpoints.enabled') || isOff('emit.offset-syncs.enabled')
  return name === 'MirrorCheckpointConnector' && isTrue(config.enabled) && off
}
