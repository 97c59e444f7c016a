/// Gauges in the text format of OpenMetrics 1.0.
///
/// Names and help texts come from the program's source. Label values may be untrusted and are escaped.
struct MetricsText {
    private var text = ""

    /// Appends a gauge, unless it has no samples.
    ///
    /// - Parameter samples: The values with their labels, in output order.
    mutating func gauge(
        _ name: StaticString, _ help: StaticString, unit: StaticString? = nil,
        _ samples: [(labels: [(name: String, value: String)], value: String)]
    ) {
        guard !samples.isEmpty else { return }
        text += "# TYPE \(name) gauge\n"
        if let unit { text += "# UNIT \(name) \(unit)\n" }
        text += "# HELP \(name) \(help)\n"
        for (labels, value) in samples {
            let labels = labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
            text += "\(name){\(labels)} \(value)\n"
        }
    }

    /// The complete text, with the end mark that proves it is not truncated.
    var page: String { text + "# EOF\n" }

    private func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
