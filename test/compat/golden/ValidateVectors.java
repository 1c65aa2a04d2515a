import org.apache.kafka.connect.runtime.*;
import org.apache.kafka.connect.runtime.standalone.*;
import org.apache.kafka.connect.runtime.isolation.*;
import org.apache.kafka.connect.runtime.rest.entities.*;
import org.apache.kafka.connect.storage.*;
import org.apache.kafka.connect.connector.policy.*;
import org.apache.kafka.common.utils.Time;
import java.util.*;
import com.fasterxml.jackson.databind.*;
/**
 * Validates connector configurations with the herder of Apache Kafka 4.3.1; no broker is needed.
 *   javac -cp 'libs/*' -d out ValidateVectors.java
 *   PLUGINS=folder java -cp 'libs/*:out' ValidateVectors validate.json All validate.json
 */
public class ValidateVectors {
  public static void main(String[] a) throws Exception {
    ObjectMapper m = new ObjectMapper();
    Map<String,String> wp = new HashMap<>();
    wp.put("bootstrap.servers","127.0.0.1:1"); wp.put("key.converter","org.apache.kafka.connect.json.JsonConverter"); wp.put("value.converter","org.apache.kafka.connect.json.JsonConverter");
    wp.put("offset.storage.file.filename","offsets.dat"); wp.put("plugin.path", System.getenv("PLUGINS")); wp.put("plugin.discovery","hybrid_warn");
    Plugins plugins = new Plugins(wp);
    StandaloneConfig cfg = new StandaloneConfig(wp) { public String kafkaClusterId() { return "c"; } };
    plugins.compareAndSwapWithDelegatingLoader();
    MemoryOffsetBackingStore s = new MemoryOffsetBackingStore() { public Set<Map<String,Object>> connectorPartitions(String c) { return Set.of(); } };
    ConnectorClientConfigOverridePolicy pol = a.length > 1 && a[1].equals("None") ? new NoneConnectorClientConfigOverridePolicy() : new AllConnectorClientConfigOverridePolicy();
    Worker w = new Worker("w", Time.SYSTEM, plugins, cfg, s, pol);
    StandaloneHerder h = new StandaloneHerder(w, "cluster", pol);
    JsonNode in = m.readTree(new java.io.File(a[0]));
    java.util.List<Object> out = new ArrayList<>();
    for (JsonNode one : in) {
      JsonNode c = one.get("config");
      Map<String,String> raw = m.convertValue(c, new com.fasterxml.jackson.core.type.TypeReference<LinkedHashMap<String,String>>(){});
      Map<String,Object> o = new LinkedHashMap<>(); o.put("config", raw);
      try {
        final Object[] r = new Object[2]; java.util.concurrent.CountDownLatch l = new java.util.concurrent.CountDownLatch(1);
        h.validateConnectorConfig(raw, (e, v) -> { r[0]=e; r[1]=v; l.countDown(); }, false);
        l.await();
        if (r[0] != null) o.put("error", r[0].toString()); else reduce(m.valueToTree(r[1]), o);
      } catch (Throwable t) { o.put("error", t.toString()); }
      out.add(o);
    }
    StringBuilder text = new StringBuilder("[\n");
    for (int i = 0; i < out.size(); i++) text.append(m.writeValueAsString(out.get(i))).append(i + 1 < out.size() ? ",\n" : "\n");
    java.nio.file.Files.writeString(new java.io.File(a[a.length - 1]).toPath(), text.append("]\n"));
    System.exit(0);
  }

  static final Set<JsonNode> SEEN = new HashSet<>();

  /** Keeps what is compared; each definition once. */
  static void reduce(JsonNode infos, Map<String, Object> o) {
    o.put("error_count", infos.get("error_count"));
    o.put("groups", infos.get("groups"));
    java.util.List<Object> names = new ArrayList<>(), definitions = new ArrayList<>();
    Map<String, Object> errors = new LinkedHashMap<>();
    for (JsonNode c : infos.get("configs")) {
      names.add(c.get("value").get("name"));
      if (c.get("value").get("errors").size() > 0) errors.put(c.get("value").get("name").asText(), c.get("value").get("errors"));
      if (SEEN.add(c.get("definition"))) definitions.add(c.get("definition"));
    }
    o.put("names", names);
    o.put("errors", errors);
    o.put("definitions", definitions);
  }
}
