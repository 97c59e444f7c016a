/// Small manifests for the tests.
enum Fixture {
    static let contacts = "3abea21c-7e36-4be1-bec1-d3bad0e3e0de"

    static func target(
        service: String = "embedded", limits: String = "{requestsPerSecond: 1000}",
        ledger: String = "sqlite:ledger.sqlite"
    ) -> String {
        """
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: test}
        spec:
          service: \(service)
          organization: 1234@AdobeOrg
          sandbox: prod
          ledger: \(ledger)
          limits: \(limits)

        """
    }

    /// Returns a run manifest.
    ///
    /// - Parameter flows: The entries of the manifest's `flows`, made by ``flow(_:windows:column:more:)``.
    static func manifest(_ flows: [String]) -> String {
        """
        apiVersion: sluice/v1
        kind: RunManifest
        metadata: {name: flows}
        spec:
          target: test
          flows:
        \(flows.joined(separator: "\n"))

        """
    }

    /// Returns a table-based flow with the hourly windows `0 ..< windows` after 2024-01-01, or a file-based one without
    /// a column.
    static func flow(_ id: String = contacts, windows: Int = 1, column: String? = "DOB", more: String = "") -> String {
        let start = 1_704_067_200
        let lines = (0..<windows).map { "        - {start: \(start + $0 * 3600), end: \(start + ($0 + 1) * 3600)}" }
        return """
                - flowId: \(id)
                  source: \(column == nil ? "file" : "table")
            \(column.map { "      deltaColumn: {name: \($0)}\n" } ?? "")\(more)      windows:
            \(lines.joined(separator: "\n"))
            """
    }

    /// Returns the ID of the flow with this number.
    static func id(_ number: Int) -> String {
        let digits = String(number)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}
