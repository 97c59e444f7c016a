import Logging
import Reports

/// A log handler that writes one line per message to standard error: `warning: message, key: value`.
struct ConsoleLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let details = all.sorted { $0.key < $1.key }.map { ", \($0.key): \($0.value)" }.joined()
        Console.printNote("\(event.level): \(event.message)\(details)")
    }
}
