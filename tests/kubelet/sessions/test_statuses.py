from app.kubelet.sessions import statuses


def test_success_has_no_details() -> None:
    assert statuses.ended(0) == {"metadata": {}, "status": "Success"}


def test_an_exit_code_stands_where_clients_look_for_it() -> None:
    assert statuses.ended(2) == {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": "command terminated with non-zero exit code: exit status 2",
        "details": {"causes": [{"reason": "ExitCode", "message": "2"}]},
    }


def test_a_command_of_which_nothing_is_known_has_no_exit_code() -> None:
    assert statuses.failed("no session") == {
        "metadata": {},
        "status": "Failure",
        "reason": "InternalError",
        "message": "Internal error occurred: no session",
        "code": 500,
    }
