import ArgumentParser
import FlowRuns
import FlowService
import Foundation
import GitLedger
import HTTPFlowService
import Ledger
import Manifests
import Reports
import SQLiteLedger

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check everything that an apply needs; change nothing.",
        discussion: """
            Checks the manifests, the credentials, the service and its clock, the ledger, and the versions: one line \
            each, with what to do. Exits with 1 if a check fails.

            EXAMPLE:
              sluice doctor manifests/

            \(credentialsHelp)
            """)

    @OptionGroup var manifests: ManifestOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var service: ServiceOptions
    @Option(help: "Output format.") var format = Format<DoctorReport>()

    func run() async throws {
        var report = DoctorReport(checks: [Self.versions])
        do {
            let workspace = try Workspace.load(manifests, output)
            let (flows, files) = (workspace.flows.selected.count, workspace.sources.count)
            let text = "\(counted(flows, "flow")) of target '\(workspace.target.name)' in \(counted(files, "file"))"
            report.checks.append(.passed("manifests", text))
            report.checks += try await serviceChecks(workspace)
            report.checks += await ledgerChecks(workspace.target)
        } catch let failure as Failure {
            report.checks.append(
                .failed(
                    "manifests", failure.message.isEmpty ? "errors, shown above" : failure.message,
                    "correct them; 'sluice validate' shows all of them"))
        }
        output.show(report, format)
        if report.checks.contains(where: { $0.isFailure }) { throw ExitCode(ExitStatus.incomplete.rawValue) }
    }

    private static var versions: DoctorReport.Check {
        let version = Version()
        let libraries = version.systemLibraries.map { "\($0.name) \($0.version)" }
        let commit = version.commit.map { " (\($0.prefix(9)))" } ?? ""
        return .passed("versions", (["sluice \(Version.text)\(commit)"] + libraries).joined(separator: ", "))
    }

    // MARK: The service

    private func serviceChecks(_ workspace: Workspace) async throws -> [DoctorReport.Check] {
        let target = workspace.target
        guard case .address(let address) = target.service else {
            return [.passed("service", "the embedded simulator, which needs no credentials")]
        }
        let environment = ProcessInfo.processInfo.environment
        let credentials: Credentials
        do throws(CredentialsError) { credentials = try .fromEnvironment(environment) } catch {
            return [.failed("credentials", "\(error)", "set the variables; see 'sluice help doctor'")]
        }
        let options = service
        return try await Signals.stopping { stop in
            do {
                return try await Connection.with(target, options: options, stop: stop) { service in
                    let page = try await service.flows(after: nil)
                    let count =
                        page.next == nil ? counted(page.items.count, "flow") : "more than \(page.items.count) flows"
                    return [
                        Self.credentials(credentials, environment),
                        .passed("service", "\(address) answers: \(count) in sandbox '\(target.sandbox)'"),
                        Self.clock(service.serviceTime()),
                    ]
                }
            } catch FlowServiceError.unauthorized(let reason) {
                return [
                    .failed(
                        "credentials", "\(FlowServiceError.unauthorized(reason))",
                        "fetch a new token, or check the client's access to this organization and sandbox")
                ]
            } catch let error as FlowServiceError {
                return [
                    .failed(
                        "service", "\(error)",
                        "check 'service' at \(target.place.file):\(target.place.line), DNS and the proxy")
                ]
            } catch let failure as Failure {
                return [
                    .failed("service", failure.message, "correct the target, or the proxy and certificate variables")
                ]
            }
        }
    }

    private static func credentials(_ credentials: Credentials, _ environment: [String: String]) -> DoctorReport.Check {
        guard case .clientCredentials = credentials else {
            return .passed("credentials", "the access token in SLUICE_ACCESS_TOKEN is accepted; it is not renewed")
        }
        return .passed("credentials", "a token was fetched, with the scopes \(environment["SLUICE_SCOPES"] ?? "")")
    }

    /// The difference of the clocks from which people start to misread times in logs.
    private static let notableSkew = Duration.seconds(60)

    private static func clock(_ time: ServiceTime?) -> DoctorReport.Check {
        guard let time else {
            return .passed("clock", "the service sends no time; each doubt waits on this machine's clock alone")
        }
        let now = SystemTime().now()
        let skew = now < time.earliest ? time.earliest - now : now > time.latest ? now - time.latest : .zero
        guard skew > notableSkew else { return .passed("clock", "agrees with the service's within a minute") }
        let direction = now < time.earliest ? "behind" : "ahead of"
        return .failed(
            "clock", "this machine's clock is \(skew.wholeSeconds) s \(direction) the service's",
            "set the clock: windows become due by it. Requests are safe: they do not depend on it")
    }

    // MARK: The ledger

    private func ledgerChecks(_ target: Target) async -> [DoctorReport.Check] {
        do {
            let (flows, store) = try await TargetLedger.with(target, writing: false) { ledger in
                (try await ledger.store.flows().count, ledger.store)
            }
            let read = "\(counted(flows, "flow")) recorded in \(target.ledger)"
            switch try target.ledger.resolved() {
            case .sqlite(let path): return [Self.file(path, read)]
            case .git:
                guard let git = (store as? RetryingStore)?.store as? GitLedger else { return [.passed("ledger", read)] }
                let isProven = try await git.isCompareAndSwapProven()
                let proof =
                    isProven
                    ? "the host rejects a late push, as it must"
                    : "not checked yet: before it sends anything, the first apply checks that the host rejects a late push"
                return [.passed("ledger", read), .passed("git host", proof)]
            case .postgres:
                _ = try await TargetLedger.with(target, writing: true) { try await $0.store.flows().count }
                return [.passed("ledger", "\(read), and writable")]
            }
        } catch {
            let text = (error as? Failure)?.message ?? "\(error)"
            return [
                .failed(
                    "ledger", text, "check 'ledger' at \(target.place.file):\(target.place.line), and its permissions")
            ]
        }
    }

    private static func file(_ path: String, _ read: String) -> DoctorReport.Check {
        var place = URL(fileURLWithPath: path)
        let exists = FileManager.default.fileExists(atPath: place.path)
        while !FileManager.default.fileExists(atPath: place.path), place.path != "/" { place.deleteLastPathComponent() }
        guard FileManager.default.isWritableFile(atPath: place.path) else {
            return .failed("ledger", "\(read); '\(place.path)' is not writable", "allow this user to write there")
        }
        return .passed(
            "ledger", exists ? "\(read), and writable" : "\(path) does not exist; the first apply creates it")
    }
}

/// The results of `sluice doctor`.
struct DoctorReport: Sendable {
    struct Check: Sendable {
        let name: String
        let text: String
        /// What to do about a failure; `nil` if the check passed.
        let remedy: String?

        var isFailure: Bool { remedy != nil }

        static func passed(_ name: String, _ text: String) -> Check { Check(name: name, text: text, remedy: nil) }
        static func failed(_ name: String, _ text: String, _ remedy: String) -> Check {
            Check(name: name, text: text, remedy: remedy)
        }
    }

    var checks: [Check]
}

extension DoctorReport: Report {
    static let renderings: [Rendering<DoctorReport>] = [
        .text { report, style in
            report.checks.flatMap { check in
                let mark = check.isFailure ? style.paint("✗", .error) : style.paint("✓", .good)
                let first: StyledText = "\(mark) \(check.name.padded(to: 12))"
                return style.lines(check.text, indent: 14, first: first)
                    + (check.remedy.map { style.lines("→ \($0)", .warning, indent: 14) } ?? [])
            }
        },
        .json { report, json, _ in
            json.member("formatVersion", 1)
            json.member("passed", !report.checks.contains(where: \.isFailure))
            json.array("checks") { json in
                for check in report.checks {
                    json.element {
                        $0.member("name", check.name)
                        $0.member("passed", !check.isFailure)
                        $0.member("text", check.text)
                        if let remedy = check.remedy { $0.member("remedy", remedy) }
                    }
                }
            }
        },
    ]
}
