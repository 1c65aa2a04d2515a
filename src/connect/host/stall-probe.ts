import { BLAME_SYMBOL } from './blame.ts'

/** What a host that does not answer is doing. */
export interface StallReport {
  /** The unit on whose behalf the code runs; null when nobody can tell. */
  readonly unit: string | null
  /** The stack of the code, as in the trace of an error; null when the debugger got no answer. */
  readonly stack: string | null
}

export interface StallProbe {
  /** The address of the debugger, once the host has said it on its standard error output. */
  readonly address: Promise<string>
  /** Opens the debugger of the host: SIGUSR1, which Node serves on a thread of its own even in an endless loop. */
  readonly open: () => void
  readonly timeoutMs: number
}

interface CallFrame {
  readonly callFrameId: string
  readonly functionName: string
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number }
}

interface DebuggerMessage {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly callFrames?: readonly CallFrame[]; readonly scriptId?: string; readonly url?: string }
  readonly result?: { readonly result?: { readonly value?: unknown } }
}

const MAX_FRAMES = 30
const EVALUATE_ID = 3

/**
 * Looks into a host that stands still, from outside: its debugger pauses the running code, tells the stack and whose
 * code it is. A monitor thread inside each host could do the same but costs 16 MB a host at all times (measured on
 * Node 24), this costs nothing until it is needed. The host is killed right after, so its debugger port does not stay.
 */
export async function probeStall({ address, open, timeoutMs }: StallProbe): Promise<StallReport> {
  const nothing: StallReport = { unit: null, stack: null }
  const expired = AbortSignal.timeout(timeoutMs)
  const giveUp = new Promise<StallReport>((resolve) => {
    expired.addEventListener('abort', () => resolve(nothing), { once: true })
  })
  const look = async (): Promise<StallReport> => {
    open()
    const url = await address
    return expired.aborted ? nothing : askDebugger(url, expired)
  }
  return Promise.race([look().catch(() => nothing), giveUp])
}

function askDebugger(url: string, signal: AbortSignal): Promise<StallReport> {
  const socket = new WebSocket(url)
  return new Promise((resolve) => {
    let stack: string | null = null
    const scripts = new Map<string, string>()
    const finish = (unit: string | null) => {
      socket.close()
      resolve({ unit, stack })
    }
    const send = (id: number, method: string, params: object = {}) =>
      socket.send(JSON.stringify({ id, method, params }))
    signal.addEventListener('abort', () => finish(null), { once: true })
    socket.addEventListener('error', () => finish(null))
    socket.addEventListener('open', () => {
      send(1, 'Debugger.enable')
      send(2, 'Debugger.pause')
    })
    socket.addEventListener('message', (event) => {
      const message = JSON.parse(String(event.data)) as DebuggerMessage
      const { scriptId, url: scriptUrl } = message.params ?? {}
      if (message.method === 'Debugger.scriptParsed' && scriptId) scripts.set(scriptId, scriptUrl ?? '')
      const frames = message.method === 'Debugger.paused' ? message.params?.callFrames : undefined
      if (frames?.[0]) {
        stack = frames
          .slice(0, MAX_FRAMES)
          .map((frame) => frameText(frame, scripts))
          .join('\n')
        const expression = `globalThis[Symbol.for('${BLAME_SYMBOL}')]()`
        const callFrameId = frames[0].callFrameId
        send(EVALUATE_ID, 'Debugger.evaluateOnCallFrame', {
          callFrameId,
          expression,
          returnByValue: true,
          silent: true,
        })
      }
      if (message.id !== EVALUATE_ID) return
      const value = message.result?.result?.value
      finish(typeof value === 'string' ? value : null)
    })
  })
}

function frameText({ functionName, location }: CallFrame, scripts: ReadonlyMap<string, string>): string {
  const place = `${scripts.get(location.scriptId) ?? '<unknown>'}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`
  return functionName === '' ? `    at ${place}` : `    at ${functionName} (${place})`
}
