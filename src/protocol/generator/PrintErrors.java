import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.protocol.Errors;

/** Prints Kafka's error table, one tab-separated line per code, for generate.ts. */
public class PrintErrors {
  public static void main(String[] args) {
    for (Errors error : Errors.values()) {
      Exception exception = error.exception();
      String message = exception == null || exception.getMessage() == null ? "" : exception.getMessage();
      System.out.println(error.code() + "\t" + error.name() + "\t" + (exception instanceof RetriableException) + "\t" + message);
    }
  }
}
