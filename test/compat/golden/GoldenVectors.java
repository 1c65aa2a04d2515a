import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.header.*;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.storage.*;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Runs cases through the converters and transforms of Apache Kafka 4.3.1 and writes down what they do. A case is a line of
 * the file without its result; the result is written anew.
 * Compile and run with Kafka's jars on the class path:
 *   javac -cp 'libs/*' -d out ../java/ConnectData.java GoldenVectors.java
 *   java -cp 'libs/*:out' GoldenVectors converters.json converters.json
 *   java -cp 'libs/*:out' GoldenVectors transforms.json transforms.json
 */
public class GoldenVectors extends ConnectData {
  public static void main(String[] args) throws Exception {
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
    Map<String, String> options = options(c.get("options"));
    switch (c.get("kind").asText()) {
      case "encode": return text(converter(c, options).fromConnectData("t", schema(c.get("schema")), value(schema(c.get("schema")), c.get("value"))));
      case "decode": return dump(converter(c, options).toConnectData("t", bytes(c.get("text"))));
      case "header-encode": return text(header(c, options).fromConnectHeader("t", "h", schema(c.get("schema")), value(schema(c.get("schema")), c.get("value"))));
      case "header-decode": return dump(header(c, options).toConnectHeader("t", "h", bytes(c.get("text"))));
      case "transform": {
        Transformation t = (Transformation) Class.forName("org.apache.kafka.connect.transforms." + c.get("class").asText()).getDeclaredConstructor().newInstance();
        t.configure(options);
        return dumpResult((ConnectRecord) t.apply(recordOf(c)));
      }
      default: {
        Predicate p = (Predicate) Class.forName("org.apache.kafka.connect.transforms.predicates." + c.get("class").asText()).getDeclaredConstructor().newInstance();
        p.configure(options);
        return BooleanNode.valueOf(p.test(recordOf(c)));
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

  /** A case is a record of its own, with names of headers and no more of a place than it needs. */
  static ConnectRecord recordOf(JsonNode c) {
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

  static JsonNode dump(SchemaAndValue data) {
    return dump(data.schema(), data.value());
  }

  static byte[] bytes(JsonNode text) {
    return text.isNull() ? null : text.asText().getBytes(StandardCharsets.UTF_8);
  }

  static JsonNode text(byte[] bytes) {
    return bytes == null ? NullNode.instance : TextNode.valueOf(new String(bytes, StandardCharsets.UTF_8));
  }

  /** Without the place of the record, which no transformation of the file changes. */
  static JsonNode dumpResult(ConnectRecord r) {
    if (r == null) return NullNode.instance;
    ObjectNode out = MAPPER.createObjectNode();
    out.put("topic", r.topic());
    out.set("key", dump(r.keySchema(), r.key()));
    out.set("value", dump(r.valueSchema(), r.value()));
    ArrayNode headers = out.putArray("headers");
    for (Object o : r.headers()) {
      Header h = (Header) o;
      ArrayNode pair = headers.addArray();
      pair.add(h.key());
      pair.add(dump(h.schema(), h.value()));
    }
    return out;
  }
}
