"""Single views accept files that are larger than the limit of all others."""

from flask import Flask

from app.kit.http.large_bodies import accepts_file, largest_body_for


def test_a_view_with_a_file_has_a_limit_of_its_own_and_others_have_not(bare_app: Flask) -> None:
    bare_app.config.update(MAX_CONTENT_LENGTH=1000, FILE_MAX_BYTES=50_000)

    @bare_app.post("/files/<int:number>")
    @accepts_file("FILE_MAX_BYTES")
    def files(number: int) -> str:
        return str(number)

    bare_app.add_url_rule("/texts", view_func=lambda: "", methods=["POST"], endpoint="texts")
    largest_body = largest_body_for(bare_app)
    limits = {
        f"{method} {path}": largest_body({"PATH_INFO": path, "REQUEST_METHOD": method})
        for method, path in [
            ("POST", "/files/1"),
            ("PUT", "/files/1"),
            ("POST", "/files/x"),
            ("POST", "/texts"),
            ("POST", "/files/\x00ü"),
            ("BREW", "*"),
        ]
    }
    assert limits.pop("POST /files/1") == 100_000
    assert set(limits.values()) == {1000}
