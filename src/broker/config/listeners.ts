/** One address the broker listens on and what clients of it are told. */
export interface ListenerConfig {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Undefined: the address listened on, with the port that was really taken. */
  readonly advertised: { readonly host: string; readonly port: number } | undefined
}

interface ListenerValues {
  readonly listeners: readonly string[]
  readonly advertised: readonly string[]
  readonly protocolMap: readonly string[]
  readonly controllerNames: readonly string[]
}

interface Address {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** NAME://host:port, where the host may be empty (all interfaces) or an IPv6 address in brackets. */
function parseAddress(text: string): Address | undefined {
  const match = /^([A-Za-z0-9_-]+):\/\/(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/]*)):(\d{1,5})$/.exec(text)
  if (match === null || Number(match[4]) > 65535) return undefined
  return { name: match[1]!.toUpperCase(), host: match[2] ?? match[3] ?? '', port: Number(match[4]) }
}

/** Reads `listeners` and the keys that belong to it; collects what is wrong instead of stopping at the first. */
export function parseListeners(values: ListenerValues): { listeners: ListenerConfig[]; problems: string[] } {
  const problems: string[] = []
  const parse = (key: string, texts: readonly string[]) =>
    texts.flatMap((text) => {
      const address = parseAddress(text)
      if (address === undefined) problems.push(`${key}: ${text} is not an address; write it as PLAINTEXT://host:port`)
      return address ?? []
    })
  const controllers = new Set(values.controllerNames.map((name) => name.toUpperCase()))
  const advertised = parse('advertised.listeners', values.advertised)
  const protocols = new Map(values.protocolMap.map((entry) => splitPair(entry)))
  const listeners: ListenerConfig[] = []
  for (const address of parse('listeners', values.listeners)) {
    // Kafka's own files name the KRaft controller's listener too; there is none here.
    if (controllers.has(address.name)) continue
    const protocol = protocols.get(address.name) ?? address.name
    if (protocol !== 'PLAINTEXT') {
      problems.push(`listeners: ${address.name} is ${protocol}; only PLAINTEXT is served by this version`)
    }
    if (listeners.some((other) => other.name === address.name)) {
      problems.push(`listeners: two listeners are called ${address.name}; give each its own name`)
    }
    const told = advertised.find((other) => other.name === address.name)
    listeners.push({ ...address, advertised: told === undefined ? undefined : { host: told.host, port: told.port } })
  }
  for (const { name } of advertised) {
    if (!controllers.has(name) && !listeners.some((listener) => listener.name === name)) {
      problems.push(`advertised.listeners: there is no listener called ${name} in listeners`)
    }
  }
  if (listeners.length === 0 && problems.length === 0) problems.push('listeners names no address to listen on')
  return { listeners, problems }
}

function splitPair(entry: string): [string, string] {
  const [name = '', protocol = ''] = entry.split(':')
  return [name.trim().toUpperCase(), protocol.trim().toUpperCase()]
}
