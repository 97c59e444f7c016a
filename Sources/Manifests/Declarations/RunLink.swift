import FlowRuns
import Text

/// The address of a run's page: an https address with `{run}` in place of the run ID.
package struct RunLink: Hashable, Sendable {
    private static let placeholder = "{run}"

    /// The address, with `{run}` in place of the run ID.
    package let template: String

    /// Creates a link from a template.
    ///
    /// - Throws: ``RunLinkError`` if the template is not an https address, contains credentials or other braces, or has
    ///   no `{run}` after its host.
    package init(_ template: String) throws(RunLinkError) {
        let sample = template.replacing(Self.placeholder, with: "r")
        if let brace = sample.firstIndex(where: { "{}".contains($0) }) {
            let word = sample[brace...].prefix { $0 != "}" } + "}"
            throw RunLinkError(
                message: "a link has no \(quoted(String(word)))", suggestion: "write {run}, which becomes the run's id")
        }
        guard let url = AddressParts(sample), url.scheme == "https", !url.host.isEmpty, url.user == nil else {
            throw RunLinkError(
                message: "a link must be an https address without credentials",
                suggestion: "such as https://example.com/runs/{run}")
        }
        let authority = template.dropFirst("https://".count).prefix { !"/?#".contains($0) }
        guard template != sample, !authority.contains(Self.placeholder) else {
            throw RunLinkError(
                message: "a link must have {run} after its host, where the run's id belongs",
                suggestion: template == sample
                    ? "such as \(template)\(template.hasSuffix("/") || template.hasSuffix("=") ? "" : "/"){run}" : nil)
        }
        self.template = template
    }

    /// Returns the address of a run's page. The run ID is encoded, so it cannot change the rest of the address.
    package func address(of run: RunID) -> String {
        template.replacing(Self.placeholder, with: run.description.formEncoded)
    }
}

/// The reason why a text is not a ``RunLink``, and a suggested fix.
package struct RunLinkError: Error {
    let message: String
    let suggestion: String?
}
