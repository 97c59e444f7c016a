import Manifests
import Text

/// The initial files of a project: a target, and a manifest for its flows.
package struct TargetTemplate: Sendable {
    package var name: String
    package var service: String
    package var organization: String
    package var sandbox: String
    package var ledger: String

    package init(name: String, service: String, organization: String, sandbox: String, ledger: String) {
        self.name = name
        self.service = service
        self.organization = organization
        self.sandbox = sandbox
        self.ledger = ledger
    }

    package var isEmbedded: Bool { service == "embedded" }

    package var yaml: String {
        """
        \(ManifestTemplate.modeline)
        # Where runs are requested, and where they are recorded.
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: \(yamlText(name))}
        spec:
          service: \(yamlText(service))\(isEmbedded ? "    # the simulator that Sluice brings with it" : "")
          organization: \(yamlText(organization))
          sandbox: \(yamlText(sandbox))
          ledger: \(yamlText(ledger))
          limits: {maxRunsPerApply: 500, requestsPerSecond: \(isEmbedded ? 50 : 5)}

        """
    }

    /// Returns an example manifest.
    ///
    /// For the simulator, the example has flows that can be applied. Otherwise it has a flow in comments, because the
    /// flow IDs of the sandbox are unknown.
    ///
    /// - Parameter firstDay: The start of the example's series, such as `2026-11-19`.
    package func exampleManifest(from firstDay: String) -> String {
        let head = """
            apiVersion: sluice/v1
            kind: RunManifest
            metadata: {name: \(yamlText(String("\(name)-flows".prefix(100))))}
            spec:
              target: \(yamlText(name))

            """
        guard !isEmbedded else {
            return """
                \(ManifestTemplate.modeline)
                # Which windows of data each flow must ingest.
                \(head)  flows:
                    - flowId: 3abea21c-7e36-4be1-bec1-d3bad0e3e0de
                      name: contacts
                      source: table
                      deltaColumn: {name: UPDATED_AT}    # sent with the flow's first run, and never again
                      series:
                        - {every: P1D, from: \(firstDay), until: now, timeZone: UTC, lag: PT1H}

                    - flowId: 5d3a7c1e-0f2b-4c6d-9e8f-7a6b5c4d3e2f
                      name: exports
                      source: file
                      windows:
                        - {start: \(firstDay)T00:00:00Z, end: \(firstDay)T06:00:00Z}

                """
        }
        return """
            \(ManifestTemplate.modeline)
            # Which windows of data each flow must ingest. Declare flows like the one below, or let Sluice write down what the
            # sandbox has: sluice flows TARGET_FILE --format yaml
            \(head)  flows:
                # - flowId: 00000000-0000-0000-0000-000000000000    # of a flow that is scheduled for one-time ingestion
                #   name: contacts
                #   source: table                      # or: file
                #   deltaColumn: {name: UPDATED_AT}    # of tables only; sent with the flow's first run, and never again
                #   series:
                #     - {every: P1D, from: \(firstDay), until: now, timeZone: UTC, lag: PT1H}

            """
    }
}
