import { type Postgres, startPostgres } from '../../services/postgres.ts'
import { scaled } from '../measure.ts'

/** What the JDBC cases have in common: the table that they fill or read, and its server. */
export const RECORDS = scaled(1_000_000)
export const TABLE = `(id bigint primary key, customer text not null, city text not null,
  amount double precision not null, created bigint not null, note text not null)`
export const JSON_CONVERTER = 'org.apache.kafka.connect.json.JsonConverter'

export const startServer = (): Promise<Postgres> =>
  startPostgres({ version: 15, settings: { max_wal_size: '4GB', shared_buffers: '256MB' } })

export const jdbcUrl = ({ host, port, database }: Postgres): string => `jdbc:postgresql://${host}:${port}/${database}`
