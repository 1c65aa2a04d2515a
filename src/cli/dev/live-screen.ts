/** What is shown each second. */
export interface Snapshot {
  readonly seconds: number
  readonly changes: number
  readonly captured: number
  readonly delivered: number
  readonly memoryMb: number | null
}

/** One line: how far the copy is behind the database. */
export function liveLine({ seconds, changes, captured, delivered, memoryMb }: Snapshot): string {
  const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
  const memory = memoryMb === null ? '' : `   memory ${Math.round(memoryMb)} MB`
  const lag = Math.max(0, changes - delivered)
  return `${clock}   changes ${changes}   captured ${captured}   delivered ${delivered}   lag ${lag}${memory}`
}

/** The addresses, and lines to copy and paste. */
export function welcome(addresses: { kafkaPort: number; restPort: number; databaseUrl: string }): string {
  const { kafkaPort, restPort, databaseUrl } = addresses
  const cli = 'npm run -s millrace --'
  return `
Millrace is running.

  log (Kafka protocol)   127.0.0.1:${kafkaPort}
  Connect REST           http://127.0.0.1:${restPort}
  Postgres               ${databaseUrl.replace(/:[^:@/]*@/, ':***@')}

Look around:

  curl -s 'localhost:${restPort}/connectors?expand=status'
  curl -s localhost:${restPort}/connectors/shop-cdc/status
  kcat -b localhost:${kafkaPort} -C -t pg.shop.orders -o -1 -q
  ${cli} topics --bootstrap-server localhost:${kafkaPort} --list
  ${cli} console-consumer --bootstrap-server localhost:${kafkaPort} --topic driver --from-beginning

Ctrl-C stops it.
`
}
