import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.File;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.json.*;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.*;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Runs cases through the converters and transforms of Apache Kafka 4.3.1 and writes down what they do. A case is a line of
 * the file without its result; the result is written anew.
 * Compile and run with Kafka's jars on the class path:
 *   javac -cp 'libs/*' -d out GoldenVectors.java
 *   java -cp 'libs/*:out' GoldenVectors converters.json converters.json
 *   java -cp 'libs/*:out' GoldenVectors transforms.json transforms.json
 */
public class GoldenVectors {
  static final ObjectMapper MAPPER = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).setNodeFactory(JsonNodeFactory.withExactBigDecimals(true));
  static final JsonConverter SCHEMAS = new JsonConverter();

  public static void main(String[] args) throws Exception {
    SCHEMAS.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
    ArrayNode out = MAPPER.createArrayNode();
    for (JsonNode node : MAPPER.readTree(new File(args[0]))) {
      ObjectNode c = ((ObjectNode) node).deepCopy();
      c.remove(List.of("result", "error"));
      try {
        c.set("result", run(c));
      } catch (Throwable t) {
        c.put("error", t.getClass().getSimpleName() + ": " + t.getMessage());
      }
      out.add(c);
    }
    StringBuilder text = new StringBuilder("[\n");
    for (int i = 0; i < out.size(); i++) text.append(MAPPER.writeValueAsString(out.get(i))).append(i + 1 < out.size() ? ",\n" : "\n");
    java.nio.file.Files.writeString(new File(args[1]).toPath(), text.append("]\n"));
  }

  static JsonNode run(ObjectNode c) throws Exception {
    Map<String, String> options = new HashMap<>();
    if (c.has("options")) c.get("options").fields().forEachRemaining(e -> options.put(e.getKey(), e.getValue().asText()));
    switch (c.get("kind").asText()) {
      case "encode": return text(converter(c, options).fromConnectData("t", schema(c.get("schema")), value(schema(c.get("schema")), c.get("value"))));
      case "decode": return dump(converter(c, options).toConnectData("t", c.get("text").isNull() ? null : c.get("text").asText().getBytes(StandardCharsets.UTF_8)));
      case "header-encode": return text(header(c, options).fromConnectHeader("t", "h", schema(c.get("schema")), value(schema(c.get("schema")), c.get("value"))));
      case "header-decode": return dump(header(c, options).toConnectHeader("t", "h", c.get("text").isNull() ? null : c.get("text").asText().getBytes(StandardCharsets.UTF_8)));
      case "transform": {
        Transformation t = (Transformation) Class.forName("org.apache.kafka.connect.transforms." + c.get("class").asText()).getDeclaredConstructor().newInstance();
        t.configure(options);
        return dumpRecord((ConnectRecord) t.apply(record(c)));
      }
      default: {
        Predicate p = (Predicate) Class.forName("org.apache.kafka.connect.transforms.predicates." + c.get("class").asText()).getDeclaredConstructor().newInstance();
        p.configure(options);
        return BooleanNode.valueOf(p.test(record(c)));
      }
    }
  }

  static Converter converter(JsonNode c, Map<String, String> options) throws Exception {
    Converter converter = (Converter) Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
    converter.configure(options, false);
    return converter;
  }

  static HeaderConverter header(JsonNode c, Map<String, String> options) throws Exception {
    HeaderConverter converter = (HeaderConverter) Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
    Map<String, String> all = new HashMap<>(options);
    all.put("converter.type", "header");
    converter.configure(all);
    return converter;
  }

  static ConnectRecord record(JsonNode c) {
    Schema ks = schema(c.get("keySchema")), vs = schema(c.get("valueSchema"));
    Object k = value(ks, c.get("key")), v = value(vs, c.get("value"));
    Long ts = c.has("timestamp") && !c.get("timestamp").isNull() ? c.get("timestamp").asLong() : null;
    String topic = c.has("topic") ? c.get("topic").asText() : "t";
    ConnectHeaders headers = new ConnectHeaders();
    if (c.has("headers")) for (JsonNode h : c.get("headers")) headers.addString(h.asText(), "x");
    if (c.has("offset")) {
      return new SinkRecord(topic, 3, ks, k, vs, v, c.get("offset").asLong(), ts, org.apache.kafka.common.record.TimestampType.CREATE_TIME, headers);
    }
    return new SourceRecord(Map.of(), Map.of(), topic, null, ks, k, vs, v, ts, headers);
  }

  static JsonNode text(byte[] bytes) {
    return bytes == null ? NullNode.instance : TextNode.valueOf(new String(bytes, StandardCharsets.UTF_8));
  }

  static JsonNode dump(SchemaAndValue data) {
    ObjectNode out = MAPPER.createObjectNode();
    out.set("schema", data.schema() == null ? NullNode.instance : SCHEMAS.asJsonSchema(data.schema()));
    out.set("value", dump(data.value()));
    return out;
  }

  static JsonNode dumpRecord(ConnectRecord r) {
    if (r == null) return NullNode.instance;
    ObjectNode out = MAPPER.createObjectNode();
    out.put("topic", r.topic());
    out.set("key", dump(new SchemaAndValue(r.keySchema(), r.key())));
    out.set("value", dump(new SchemaAndValue(r.valueSchema(), r.value())));
    ArrayNode headers = out.putArray("headers");
    for (Object o : r.headers()) {
      Header h = (Header) o;
      ArrayNode pair = headers.addArray();
      pair.add(h.key());
      pair.add(dump(new SchemaAndValue(h.schema(), h.value())));
    }
    return out;
  }

  /** Values with their kind: i integer, f floating, d decimal, b bytes, t date, m map, s struct. */
  static JsonNode dump(Object v) {
    if (v == null) return NullNode.instance;
    if (v instanceof Boolean b) return BooleanNode.valueOf(b);
    if (v instanceof String s) return TextNode.valueOf(s);
    ObjectNode out = MAPPER.createObjectNode();
    if (v instanceof Float || v instanceof Double) return out.put("f", v.toString());
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
      for (Map.Entry<?, ?> e : map.entrySet()) sorted.put(dump(e.getKey()).toString(), MAPPER.createArrayNode().add(dump(e.getKey())).add(dump(e.getValue())));
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

  static Object schemaless(JsonNode json) {
    if (json.isNull()) return null;
    if (json.isTextual()) return json.asText();
    if (json.isBoolean()) return json.asBoolean();
    if (json.isIntegralNumber()) return json.asLong();
    if (json.isNumber()) return json.asDouble();
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
