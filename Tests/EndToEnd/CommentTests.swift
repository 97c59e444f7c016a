import Foundation
import TestSupport
import Testing

/// The example's script `comment-plan`, with a host that keeps the comments of one request.
@Suite("The comment with the plan")
struct CommentTests {
    /// Answers as the API of the host that a path belongs to, and writes the comments to a file. A comment that contains
    /// "denied" is refused. The first comment is by someone else.
    private static let host = """
        import http.server, json, re, sys
        comments = {1: '<!-- sluice:plan --> forged'}
        class Host(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words): pass
            def answer(self, status, value):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(value).encode())
            def do_GET(self):
                found = list(comments.items()) if 'page=2' not in self.path.split('&') else []
                if self.path == '/user': return self.answer(200, {'id': 9})
                if 'connectionData' in self.path: return self.answer(200, {'authenticatedUser': {'id': 'me'}})
                if '/threads' in self.path:
                    self.answer(200, {'value': [{'id': k, 'comments': [
                        {'id': 1, 'content': v, 'author': {'id': 'me' if k > 1 else 'x'}}]} for k, v in found]})
                else:
                    self.answer(200, [{'id': k, 'body': v, 'author': {'id': 9 if k > 1 else 8},
                        'user': {'type': 'Bot' if k > 1 else 'User'}} for k, v in found])
            def write(self):
                sent = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                text = sent.get('body') or sent.get('content') or sent['comments'][0]['content']
                if 'denied' in text: return self.answer(403, {})
                if self.command == 'POST': number = len(comments) + 1
                else: number = int(re.search(r'/(?:comments|notes|threads)/([0-9]+)', self.path).group(1))
                comments[number] = text
                json.dump([comments[key] for key in sorted(comments)], open('comments.json', 'w'))
                self.answer(201, {})
            do_POST = do_PATCH = do_PUT = write
        http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Host).serve_forever()
        """

    private static func variables(of kind: String, _ address: String) -> [String: String] {
        switch kind {
        case "GitHub":
            ["GITHUB_API_URL": address, "GITHUB_REPOSITORY": "acme/manifests", "GH_TOKEN": "t", "NUMBER": "7"]
        case "GitLab":
            [
                "CI_API_V4_URL": address, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7", "SLUICE_NOTES_TOKEN": "t",
            ]
        default:
            [
                "SYSTEM_COLLECTIONURI": "\(address)/acme/", "SYSTEM_TEAMPROJECTID": "p", "BUILD_REPOSITORY_ID": "r",
                "SYSTEM_PULLREQUEST_PULLREQUESTID": "7", "SYSTEM_ACCESSTOKEN": "t",
            ]
        }
    }

    @Test(
        "the plan is one comment, which later jobs update; without permission the job goes on",
        arguments: [
            "GitHub", "GitLab", "Azure",
        ])
    func comment(kind: String) async throws {
        var user = try Program()
        let port = try freePort()
        let server = try RunningProgram(
            URL(filePath: "/usr/bin/env"), ["python3", "-c", Self.host, "\(port)"], in: user.folder,
            environment: [:], input: nil)
        try waitForPort(port)
        user.environment = Self.variables(of: kind, "http://127.0.0.1:\(port)")
        let script = Program.checkout.appending(path: "manifests/in-ci/comment-plan").path

        func comments(after text: String) async throws -> [String] {
            try user.write(text, to: "comment.md")
            let result = try await user.shell("\(script) comment.md")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.errors.contains("cannot comment") == text.contains("denied"), "\(result.errors)")
            return try JSONDecoder().decode([String].self, from: Data(user.read("comments.json").utf8))
        }
        let forged = "<!-- sluice:plan --> forged"
        let first = "<!-- sluice:plan target=crm -->\n### \"Plan\"\n"
        #expect(try await comments(after: first) == [forged, first])
        let second = "<!-- sluice:plan -->\n### Errors \\ 🛑\n"
        #expect(try await comments(after: second) == [forged, second])
        #expect(try await comments(after: "<!-- sluice:plan -->\ndenied\n") == [forged, second])
        let missing = try await comments(after: "")
        #expect(missing.count == 2 && missing[1].contains("Sluice wrote no plan"))
        server.signal(SIGKILL)
        _ = try await server.end()
        user.remove()
    }
}
