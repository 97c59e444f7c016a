import Foundation

extension Benchmark {
    /// Benchmarks of starting the program, and of planning the quickstart's flows.
    static func starts(_ samples: Samples) -> [Benchmark] {
        [
            Benchmark("sluice version", floor: "true") {
                Measurement(
                    Work { try Program(beside: "sluice", "version").run() }, floor: Work { try Program("true").run() })
            },
            Benchmark("sluice plan, three flows", floor: "cat of the same file") {
                let file = samples.folder.appending(path: "quickstart.yaml")
                try Data(quickstart.utf8).write(to: file)
                return Measurement(
                    Work { try Program(beside: "sluice", "plan", file.path).run() },
                    floor: Work { try Program("cat", file.path).run() })
            },
        ]
    }

    private static let quickstart = """
        apiVersion: sluice/v1
        kind: Target
        metadata: {name: quickstart}
        spec: {service: embedded, organization: 1234@AdobeOrg, sandbox: prod, ledger: "sqlite:quickstart.sqlite"}
        ---
        apiVersion: sluice/v1
        kind: RunManifest
        metadata: {name: quickstart, owner: data-platform}
        spec:
          target: quickstart
          flows:
            - flowId: 3abea21c-7e36-4be1-bec1-d3bad0e3e0de
              source: table
              deltaColumn: {name: DOB}
              windows: [{start: 1651584991, end: 1651588591}]
            - flowId: 5d3a7c1e-0f2b-4c6d-9e8f-7a6b5c4d3e2f
              source: file
              windows: [{start: 2022-05-03T13:36:31Z, end: 2022-05-03T14:36:31Z}]
            - flowId: 8c1f2e3d-4b5a-4678-9abc-def012345678
              source: table
              deltaColumn: {name: UPDATED_AT}
              series: [{every: P1D, from: 2024-03-25, until: 2024-04-08, timeZone: Europe/Berlin}]
        """
}
