/// Gauges in the text format of OpenMetrics 1.0. Help texts and metric names are the program's own; label values may come
/// from outside and are escaped.
struct MetricsText {
    private var text = ""

    /// - Parameter samples: each with its labels, in the order in which they are written.
    mutating func gauge(
        _ name: StaticString, _ help: StaticString, unit: StaticString? = nil,
        _ samples: [(labels: [(name: String, value: String)], value: Int64)]
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

    /// With the mark that nothing is missing at its end.
    var page: String { text + "# EOF\n" }

    private func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
