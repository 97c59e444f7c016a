import FlowRuns
import YAML

extension ManifestDecoder {
    /// Decodes the `spec` of a `Target`.
    mutating func target(_ spec: YAMLNode, _ header: Header?) -> Target? {
        guard
            let fields = fields(
                of: spec, "the spec of a target", required: ["service", "organization", "sandbox", "ledger"],
                optional: ["request", "limits", "links"])
        else { return nil }
        let service = service(fields["service"])
        let organization = organization(fields["organization"], of: service)
        let sandbox = headerText(fields["sandbox"])
        let ledger = ledger(fields["ledger"])
        let wireForm = wireForm(fields["request"])
        let limits = limits(fields["limits"])
        let runLink = runLink(fields["links"])
        guard let header, let service, let organization, let sandbox, let ledger else { return nil }
        return Target(
            name: header.name, service: service, organization: organization, sandbox: sandbox, ledger: ledger,
            wireForm: wireForm, limits: limits, runLink: runLink, place: header.place)
    }

    /// The folder of the file; `.` if the path has none.
    private var folder: String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// Decodes a text that is sent as an HTTP header value. Only visible ASCII is allowed, to prevent header injection.
    private mutating func headerText(_ field: Field?) -> String? {
        guard let field, let text = text(field) else { return nil }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), text.utf8.count <= 200 else {
            add(
                .badText, at: field.value, "invalid value \(quoted(text)) for '\(field.key)'",
                suggestion: "it is sent as an HTTP header: use at most 200 ASCII characters, without spaces")
            return nil
        }
        return text
    }

    /// Decodes an organisation ID. Adobe's IDs end in `@AdobeOrg`; custom endpoints may use other formats.
    private mutating func organization(_ field: Field?, of service: Target.Service?) -> String? {
        guard let field, let text = headerText(field) else { return nil }
        guard service != .embedded, !text.hasSuffix("@AdobeOrg") || text.hasPrefix("@") else { return text }
        let id = text.prefix { $0 != "@" }
        add(
            .badOrganization, service?.isAdobeEndpoint == true ? .error : .warning, at: field.value,
            "the organisation's id \(quoted(text)) does not end in @AdobeOrg",
            suggestion: id.isEmpty ? "write the id that Adobe shows, such as 1234@AdobeOrg" : "write \(id)@AdobeOrg")
        return text
    }

    private mutating func wireForm(_ field: Field?) -> WireForm {
        guard let field,
            let fields = fields(of: field.value, "'request'", required: [], optional: ["times", "startTime"])
        else { return WireForm() }
        let standard = WireForm()
        return WireForm(
            times: choice(fields["times"], of: WireForm.Times.self) ?? standard.times,
            startTime: choice(fields["startTime"], of: WireForm.StartTime.self) ?? standard.startTime)
    }

    private mutating func runLink(_ field: Field?) -> RunLink? {
        guard let field, let fields = fields(of: field.value, "'links'", required: [], optional: ["run"]),
            let runField = fields["run"], let template = text(runField),
            !rejectSecret(runField, address: template)
        else { return nil }
        do throws(RunLinkError) {
            return try RunLink(template)
        } catch {
            add(.badLink, at: runField.value, error.message, suggestion: error.suggestion)
            return nil
        }
    }

    private mutating func limits(_ field: Field?) -> Limits {
        var limits = Limits()
        let keys = [
            "maxRunsPerApply", "runsPerDay", "running", "parallelFlows", "requestsPerSecond", "requestTimeout",
            "settle",
        ]
        guard let field, let fields = fields(of: field.value, "'limits'", required: [], optional: keys) else {
            return limits
        }
        limits.maxRunsPerApply = integer(fields["maxRunsPerApply"], in: 1...1_000_000) ?? limits.maxRunsPerApply
        limits.runsPerDay = integer(fields["runsPerDay"], in: 1...1_000_000)
        limits.running = integer(fields["running"], in: 1...1_000_000)
        limits.parallelFlows = integer(fields["parallelFlows"], in: 1...256) ?? limits.parallelFlows
        limits.requestsPerSecond = number(fields["requestsPerSecond"], in: 1...1000) ?? limits.requestsPerSecond
        let timeout = fields["requestTimeout"]
        let settle = fields["settle"]
        limits.requestTimeout =
            duration(timeout, in: .milliseconds(100) ... .seconds(600), "PT0.1S to PT10M") ?? limits.requestTimeout
        limits.settle = duration(settle, in: .milliseconds(300) ... .seconds(86_400), "PT0.3S to P1D") ?? limits.settle
        if limits.settle < limits.minSettle {
            add(
                .settleTooShort, at: settle?.value ?? timeout?.value,
                "'settle' must be at least three times 'requestTimeout'; otherwise a late request could be sent twice",
                suggestion: "write settle: \(text(limits.minSettle)) or longer")
        }
        return limits
    }

    private func text(_ duration: Duration) -> String {
        duration.isWholeSeconds ? "PT\(duration.wholeSeconds)S" : "PT\(duration / .seconds(1))S"
    }

    private mutating func duration(
        _ field: Field?, in range: ClosedRange<Duration>, _ described: String
    ) -> Duration? {
        guard let field, let duration = fixedDuration(field) else { return nil }
        guard range.contains(duration) else {
            add(
                .numberOutOfRange, at: field.value,
                "'\(field.key)' must be from \(described), not \(quoted(field.value.text))")
            return nil
        }
        return duration
    }
}
