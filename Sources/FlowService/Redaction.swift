/// Takes secrets out of whatever comes back, before anybody shows, logs or stores it: services do echo tokens.
struct Redaction: Sendable {
    /// Longest first, so that a secret within another leaves no rest of it.
    private let secrets: [String]

    /// Secrets of fewer than four characters are left: they would tear ordinary words apart.
    init(_ secrets: [String]) {
        self.secrets = Set(secrets).filter { $0.utf8.count >= 4 }.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    func callAsFunction(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            // By scalars: an accent after a secret would make its last character another one.
            text.unicodeScalars.split(separator: secret.unicodeScalars, omittingEmptySubsequences: false)
                .map { String($0) }.joined(separator: "[redacted]")
        }
    }
}
