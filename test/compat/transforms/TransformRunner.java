import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigValue;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/**
 * Runs the transformations and predicates of the jars on the class path. Each line of the input is a case: a class, its
 * options and records, which one instance gets in order. Each line of the output is what became of the records, or why
 * the options were refused. A case without records gives the class's ConfigDef.
 */
public class TransformRunner extends ConnectData {
  public static void main(String[] args) throws Exception {
    answerLines(TransformRunner::run);
  }

  static JsonNode run(JsonNode c) {
    Object plugin;
    try {
      plugin = Class.forName(c.get("class").asText()).getDeclaredConstructor().newInstance();
      if (!c.has("records")) return definition(((Transformation<?>) plugin).config());
      Map<String, String> options = options(c.get("options"));
      // As the runtime: the definition is asked first, then the plugin itself.
      if (plugin instanceof Transformation<?> t) {
        validate(t.config(), options);
        t.configure(options);
      } else {
        validate(((Predicate<?>) plugin).config(), options);
        ((Predicate<?>) plugin).configure(options);
      }
    } catch (Throwable t) {
      return MAPPER.createObjectNode().set("refused", error(t));
    }
    ArrayNode results = MAPPER.createArrayNode();
    for (JsonNode record : c.get("records")) {
      try {
        results.add(apply(plugin, record(record)));
      } catch (Throwable t) {
        results.add(MAPPER.createObjectNode().set("error", error(t)));
      }
    }
    return MAPPER.createObjectNode().set("results", results);
  }

  static void validate(ConfigDef def, Map<String, String> options) {
    for (ConfigValue value : def.validate(options)) {
      if (!value.errorMessages().isEmpty()) throw new ConfigException(value.errorMessages().get(0));
    }
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static JsonNode apply(Object plugin, ConnectRecord record) {
    if (plugin instanceof Predicate p) return BooleanNode.valueOf(p.test(record));
    ConnectRecord result = ((Transformation) plugin).apply(record);
    return result == null ? NullNode.instance : dumpRecord(result);
  }

  static JsonNode definition(ConfigDef def) {
    ObjectNode out = MAPPER.createObjectNode();
    for (ConfigDef.ConfigKey key : def.configKeys().values()) {
      ObjectNode one = out.putObject(key.name).put("type", key.type.toString()).put("importance", key.importance.toString());
      if (key.hasDefault()) one.put("default", key.defaultValue == null ? null : ConfigDef.convertToString(key.defaultValue, key.type));
    }
    return out;
  }
}
