import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/** Reads lines of "class version hex", parses the bytes with Kafka's own class, writes them again, prints the hex. */
public class RoundTrip {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split(" ", -1);
      short version = Short.parseShort(parts[1]);
      ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(parts[2]));
      try {
        ApiMessage message = (ApiMessage) Class.forName(parts[0]).getDeclaredConstructor().newInstance();
        message.read(new ByteBufferAccessor(bytes), version);
        if (bytes.hasRemaining()) throw new IllegalStateException(bytes.remaining() + " bytes left");
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer out = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(out), cache, version);
        System.out.println(HexFormat.of().formatHex(out.array()));
      } catch (Exception e) {
        System.out.println("failed: " + e);
      }
    }
  }
}
