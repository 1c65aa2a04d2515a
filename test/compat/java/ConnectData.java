import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.function.Function;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;

/** Records and values of Kafka Connect as JSON that keeps their kinds, for programs that tests compare ours with. */
public class ConnectData {
  static final ObjectMapper MAPPER = new ObjectMapper()
      .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
      .setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
  static final JsonConverter SCHEMAS = new JsonConverter();

  static {
    SCHEMAS.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
  }

  /** Answers each line of the input with one of the output. */
  static void answerLines(Function<JsonNode, JsonNode> answer) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(MAPPER.writeValueAsString(answer.apply(MAPPER.readTree(line))));
      out.flush();
    }
  }

  static Map<String, String> options(JsonNode json) {
    Map<String, String> options = new HashMap<>();
    if (json != null) json.fields().forEachRemaining(e -> options.put(e.getKey(), e.getValue().asText()));
    return options;
  }

  static JsonNode error(Throwable t) {
    return MAPPER.createObjectNode().put("class", t.getClass().getSimpleName()).put("message", String.valueOf(t.getMessage()));
  }

  /** With an offset a record is a sink's, else a source's. */
  static ConnectRecord<?> record(JsonNode r) {
    Schema ks = schema(r.get("keySchema")), vs = schema(r.get("valueSchema"));
    Object k = value(ks, r.get("key")), v = value(vs, r.get("value"));
    Long timestamp = r.path("timestamp").isNumber() ? r.get("timestamp").asLong() : null;
    Integer partition = r.path("partition").isNumber() ? r.get("partition").asInt() : null;
    ConnectHeaders headers = new ConnectHeaders();
    for (JsonNode h : r.get("headers")) {
      Schema schema = schema(h.get(1));
      headers.add(h.get(0).asText(), value(schema, h.get(2)), schema);
    }
    String topic = r.get("topic").asText();
    if (!r.has("offset")) return new SourceRecord(Map.of(), Map.of(), topic, partition, ks, k, vs, v, timestamp, headers);
    return new SinkRecord(topic, partition, ks, k, vs, v, r.get("offset").asLong(), timestamp, TimestampType.CREATE_TIME, headers);
  }

  static ObjectNode dumpRecord(ConnectRecord<?> r) {
    ObjectNode out = MAPPER.createObjectNode();
    out.put("topic", r.topic()).put("partition", r.kafkaPartition()).put("timestamp", r.timestamp());
    out.set("key", dump(r.keySchema(), r.key()));
    out.set("value", dump(r.valueSchema(), r.value()));
    ArrayNode headers = out.putArray("headers");
    for (Header h : r.headers()) headers.addArray().add(h.key()).add(dump(h.schema(), h.value()));
    return out;
  }

  static JsonNode dump(Schema schema, Object value) {
    ObjectNode out = MAPPER.createObjectNode();
    out.set("schema", schema == null ? NullNode.instance : SCHEMAS.asJsonSchema(schema));
    out.set("value", dump(value));
    return out;
  }

  /** Values with their kind: i integer, f floating, d decimal, b bytes, t date, m map, s struct. */
  static JsonNode dump(Object v) {
    if (v == null) return NullNode.instance;
    if (v instanceof Boolean b) return BooleanNode.valueOf(b);
    if (v instanceof String s) return TextNode.valueOf(s);
    ObjectNode out = MAPPER.createObjectNode();
    // A float is shown as the double it is, so that both sides compare exactly.
    if (v instanceof Float || v instanceof Double) return out.put("f", Double.toString(((Number) v).doubleValue()));
    if (v instanceof BigDecimal d) return out.put("d", d.toPlainString());
    if (v instanceof Number) return out.put("i", v.toString());
    if (v instanceof java.util.Date d) return out.put("t", d.getTime());
    if (v instanceof java.nio.ByteBuffer b) v = b.array();
    if (v instanceof byte[] b) return out.put("b", HexFormat.of().formatHex(b));
    if (v instanceof List<?> list) {
      ArrayNode items = MAPPER.createArrayNode();
      for (Object item : list) items.add(dump(item));
      return items;
    }
    if (v instanceof Map<?, ?> map) {
      TreeMap<String, JsonNode> sorted = new TreeMap<>();
      for (Map.Entry<?, ?> e : map.entrySet()) {
        sorted.put(dump(e.getKey()).toString(), MAPPER.createArrayNode().add(dump(e.getKey())).add(dump(e.getValue())));
      }
      ArrayNode entries = out.putArray("m");
      sorted.values().forEach(entries::add);
      return out;
    }
    Struct s = (Struct) v;
    ArrayNode fields = out.putArray("s");
    for (Field f : s.schema().fields()) fields.addArray().add(f.name()).add(dump(s.getWithoutDefault(f.name())));
    return out;
  }

  static Schema schema(JsonNode json) {
    return json == null || json.isNull() ? null : SCHEMAS.asConnectSchema(json);
  }

  /** Bytes are given as hex, decimals as text, dates as milliseconds, maps as pairs. */
  static Object value(Schema schema, JsonNode json) {
    if (json == null || json.isNull()) return null;
    if (schema == null) return schemaless(json);
    if (schema.name() != null) {
      switch (schema.name()) {
        case Decimal.LOGICAL_NAME: return new BigDecimal(json.asText());
        case org.apache.kafka.connect.data.Date.LOGICAL_NAME: case Time.LOGICAL_NAME: case Timestamp.LOGICAL_NAME: return new java.util.Date(json.asLong());
      }
    }
    switch (schema.type()) {
      case INT8: return (byte) json.asInt();
      case INT16: return (short) json.asInt();
      case INT32: return json.asInt();
      case INT64: return Long.parseLong(json.asText());
      case FLOAT32: return Float.parseFloat(json.asText());
      case FLOAT64: return Double.parseDouble(json.asText());
      case BOOLEAN: return json.asBoolean();
      case STRING: return json.asText();
      case BYTES: return HexFormat.of().parseHex(json.asText());
      case ARRAY: {
        List<Object> list = new ArrayList<>();
        for (JsonNode item : json) list.add(value(schema.valueSchema(), item));
        return list;
      }
      case MAP: {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (JsonNode pair : json) map.put(value(schema.keySchema(), pair.get(0)), value(schema.valueSchema(), pair.get(1)));
        return map;
      }
      default: {
        Struct struct = new Struct(schema);
        for (Field f : schema.fields()) if (json.has(f.name())) struct.put(f, value(f.schema(), json.get(f.name())));
        return struct;
      }
    }
  }

  /** Without a schema bytes are `{"$bytes": hex}` and dates `{"$date": milliseconds}`. */
  static Object schemaless(JsonNode json) {
    if (json.isNull()) return null;
    if (json.isTextual()) return json.asText();
    if (json.isBoolean()) return json.asBoolean();
    if (json.isIntegralNumber()) return json.asLong();
    if (json.isNumber()) return json.asDouble();
    if (json.has("$bytes")) return HexFormat.of().parseHex(json.get("$bytes").asText());
    if (json.has("$date")) return new java.util.Date(json.get("$date").asLong());
    if (json.isArray()) {
      List<Object> list = new ArrayList<>();
      for (JsonNode item : json) list.add(schemaless(item));
      return list;
    }
    Map<String, Object> map = new LinkedHashMap<>();
    json.fields().forEachRemaining(e -> map.put(e.getKey(), schemaless(e.getValue())));
    return map;
  }
}
