import Applier
import ArgumentParser
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Export, import or verify the record of runs.",
        subcommands: [ExportCommand.self, ImportCommand.self, VerifyCommand.self])

    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write the ledger as sorted JSON Lines, the same bytes for the same record.",
            discussion: """
                EXAMPLES:
                  sluice ledger export manifests/ > ledger.jsonl
                  sluice ledger export manifests/ --out ledger.jsonl
                """)

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "The file to write; standard output if not given.", completion: .file()) var out: String?

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            try await Connection.withLedger(workspace.target, writing: false) { ledger in
                var text: [UInt8] = []
                try await ledger.export(target: workspace.target.identity) { text += $0 }
                if let out {
                    try FileOutput.write(text, to: out)
                    output.say("wrote \(out)")
                } else {
                    Console.output(text)
                }
            }
        }
    }

    struct ImportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Put an export back, all of it or nothing.",
            discussion: """
                The next apply compares its flows with the service first: an export may be older than the last run.

                EXAMPLE:
                  sluice ledger import manifests/ --from ledger.jsonl
                """)

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "The export to read.", completion: .file()) var from: String

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            guard let bytes = FileManager.default.contents(atPath: from) else {
                throw Failure(.fileError, "cannot read '\(from)'")
            }
            try await Connection.withLedger(workspace.target, writing: true) { ledger in
                do throws(LedgerImportError) {
                    let record = try LedgerImport(Array(bytes), target: workspace.target.identity)
                        .forgettingContact()
                    try await record.restore(into: ledger)
                    output.say("\(record.entries.count) run(s) of \(record.flows.count) flow(s) are in the ledger")
                } catch {
                    if case .ledger(let error) = error { throw error }
                    throw Failure(.invalid, "\(from): \(error)")
                }
            }
        }
    }

    struct VerifyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Check every invariant of the ledger; exit 74 when one does not hold.")

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            try await Connection.withLedger(workspace.target, writing: false) { ledger in
                let faults = try await ledger.verify(now: SystemTime().now())
                guard faults.isEmpty else {
                    throw Failure(
                        .fileError, (["the ledger does not hold:"] + faults.map { "  - \($0)" }).joined(separator: "\n")
                    )
                }
                output.say("every invariant of the ledger holds")
            }
        }
    }
}
