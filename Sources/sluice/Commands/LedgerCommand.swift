import Applier
import ArgumentParser
import FlowRuns
import FlowService
import Foundation
import Ledger
import Manifests
import Planner
import PostgresLedger
import Reports
import Text

struct LedgerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Export, import, copy, verify or recheck the ledger.",
        subcommands: [
            ExportCommand.self, ImportCommand.self, CopyCommand.self, VerifyCommand.self, RecheckCommand.self,
            SQLCommand.self,
        ])

    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write the ledger as sorted JSON Lines; the same ledger gives the same bytes.",
            discussion: """
                EXAMPLES:
                  sluice ledger export manifests/ > ledger.jsonl
                  sluice ledger export manifests/ --out ledger.jsonl
                """)

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions
        @Option(
            help: "The file to write. Default: -, standard output.", completion: .file(), transform: pathArgument)
        var out: String?

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            try await TargetLedger.with(workspace.target, writing: false) { ledger in
                let progress = Progress("written", output: output)
                try await FileOutput.write(to: out ?? "-") { write in
                    try await ledger.store.export(
                        target: workspace.target.identity, report: { progress.advance(to: $0, of: $1) }, write: write)
                }
                progress.end()
                if let out { output.printNote("wrote \(out)") }
            }
        }
    }

    struct ImportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Import an export into the ledger: all of it, or nothing.",
            discussion: """
                The next apply compares its flows with the service first: an export may be older than the last run.

                EXAMPLE:
                  sluice ledger import manifests/ --from ledger.jsonl
                """)

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions
        @Option(
            help: "The export to read; - is standard input.", completion: .file(), transform: pathArgument)
        var from: String

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            let file = try ImportFile(from)
            try await TargetLedger.with(workspace.target, writing: true) { ledger in
                do throws(LedgerImportError) {
                    let record = try LedgerImport(file, targets: workspace.target.identities)
                    let progress = Progress("imported", output: output)
                    try await record.restore(
                        into: ledger.store, report: { progress.advance(to: $0, of: $1) }, nonce: { UUID().uuidString })
                    progress.end()
                    output.printNote(
                        "the ledger holds \(counted(record.runCount, "run")) of \(counted(record.flowCount, "flow"))"
                    )
                } catch {
                    switch error {
                    case .ledger(let error): throw error
                    case .lines(let lines):
                        throw Failure(.invalid, "nothing is imported:", details: lines.inWords(file: "\(from):"))
                    case .unreadable: throw Failure(.fileError, "\(from): \(error)")
                    }
                }
            }
        }
    }

    struct CopyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "copy", abstract: "Copy the whole ledger into an empty one at another address.",
            discussion: """
                Stop every apply and refresh first, and write the new address into the target afterwards. An interrupted \
                copy goes on where it stopped.

                EXAMPLE:
                  sluice ledger copy manifests/ --to sqlite:/srv/sluice/prod.sqlite
                """)

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "The address to copy to, as 'ledger' in a target. A relative path starts at the working folder.")
        var to: String

        func run() async throws {
            let other: Target.LedgerAddress
            do throws(LedgerAddressError) { other = try Target.LedgerAddress(written: to) } catch {
                throw Failure(.usage, "--to: \(error.message): \(error.suggestion)")
            }
            let target = try Workspace.load(manifests, output).target
            guard try other.resolved() != target.ledger.resolved() else {
                throw Failure(.usage, "--to: '\(printable(to))' is the ledger of target '\(target.name)' already")
            }
            try await TargetLedger.with(target, writing: false) { ledger in
                try await TargetLedger.with(target, at: other, writing: true) { copied in
                    do throws(LedgerCopyError) {
                        let progress = Progress("copied", output: output)
                        let copy = try await ledger.store.copy(to: copied.store) { progress.advance(to: $0, of: $1) }
                        progress.end()
                        let counts = "\(counted(copy.flows, "flow")) with \(counted(copy.runs, "run"))"
                        output.printNote("copied \(counts); write 'ledger: \(other)' in target '\(target.name)'")
                    } catch {
                        if case .ledger(let error) = error { throw error }
                        throw Failure(.fileError, error.description)
                    }
                }
            }
        }
    }

    struct SQLCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sql", abstract: "Print the SQL that creates the tables of a ledger on PostgreSQL.",
            discussion: """
                An apply creates them itself if its role may create a schema. Otherwise an administrator runs this SQL \
                once, and grants the rights listed at the end of the output.

                EXAMPLE:
                  sluice ledger sql | psql --single-transaction ledgers
                """)

        func run() { Console.output(Array(PostgresSchema.sql.utf8)) }
    }

    struct VerifyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract:
                "Check the ledger for errors and for time ingested more often than declared; exit 74 if there is any."
        )

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions

        /// The diagnostics about time that was ingested more often than declared.
        private static let codes: Set<DiagnosticCode> = [.windowRunTwice, .windowsIngestedTwice]

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            try await TargetLedger.with(workspace.target, writing: false) { ledger in
                let violations = try await ledger.store.verify()
                let now = SystemTime().now()
                let plan = try await workspace.flows.plan(asOf: now, now: now, from: ledger.store)
                let twice =
                    try await plan.diagnostics.filter { Self.codes.contains($0.code) }
                    + windowsRunTwice(of: workspace, in: ledger.store)
                output.printDiagnostics(twice, sources: workspace.sources)
                guard violations.isEmpty else {
                    throw Failure(.fileError, "the ledger has errors:", details: violations.map { "- \($0)" })
                }
                guard twice.isEmpty else {
                    throw Failure(
                        .fileError,
                        "\(counted(twice.count, "window was", "windows were")) ingested more often than declared")
                }
                output.printNote("no errors in the ledger")
            }
        }

        /// Returns the windows that ran more often than declared, of flows that no manifest declares. The flows that
        /// replace such a flow declare its reruns and acknowledge its runs.
        private func windowsRunTwice(
            of workspace: Workspace, in store: any LedgerStore
        ) async throws -> [Diagnostic] {
            let declared = Set(workspace.flows.selected.map(\.id))
            var diagnostics: [Diagnostic] = []
            for flow in try await store.flows().map(\.id) where !declared.contains(flow) {
                let snapshot = try await store.snapshot(of: flow)
                let successor = workspace.flows.selected.first { $0.replaced.contains(flow) }
                // The plan of the successor reports time that its runs and those of this flow share.
                let codes = successor == nil ? Self.codes : [.windowRunTwice]
                let undeclared = FlowDeclaration(
                    id: flow, manifest: "", target: workspace.target.name, source: .file,
                    overlap: successor?.overlap ?? .error, reruns: successor?.reruns ?? [],
                    acknowledged: successor?.acknowledged ?? [], place: successor?.place ?? workspace.target.place)
                diagnostics += Planner(asOf: SystemTime().now()).plan(
                    undeclared, record: snapshot.record, runs: snapshot.runs
                )
                .diagnostics.filter { codes.contains($0.code) }
                .map {
                    Diagnostic(
                        $0.code, $0.severity, at: $0.place,
                        "flow \(flow), which \(successor == nil ? "no manifest declares" : "this flow replaces"): "
                            + $0.message,
                        suggestion: successor == nil
                            ? "declare the flow, with or without windows, and verify again" : $0.suggestion)
                }
            }
            return diagnostics
        }
    }

    struct RecheckCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "recheck", abstract: "Compare every flow with the service before its next request.",
            discussion: """
                For a ledger that was restored from a backup: what was requested since is not in it. The next apply waits \
                until the service must list that, and then reads all runs of each flow.

                EXAMPLE:
                  sluice ledger recheck manifests/
                """)

        @OptionGroup var manifests: ManifestOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let workspace = try Workspace.load(manifests, output)
            try await TargetLedger.with(workspace.target, writing: true) { ledger in
                let known = try await ledger.store.flows().map(\.id)
                let flows = Set(known).union(workspace.flows.selected.map(\.id)).sorted()
                try await ledger.store.requireRecheck(of: flows) { UUID().uuidString }
                output.printNote(
                    "\(counted(flows.count, "flow")) will be compared with the service before the next request")
            }
        }
    }
}
