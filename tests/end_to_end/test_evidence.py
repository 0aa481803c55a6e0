"""What a leaking run keeps: the first leak of each scenario, its media and a frame of it."""

from harness.canary import pack
from harness.media.reading import read

from .commands import Run


def test_a_valid_run_keeps_nothing(sound: Run) -> None:
    """No directory of evidence is made for nothing."""
    assert not (sound.out / "evidence").exists()


def test_the_first_leak_of_each_scenario_is_kept_with_its_media(flawed: Run) -> None:
    """The bytes are those that a finding proves to be foreign, and the frame is a picture of them."""
    findings = [each for each in flawed.summary["findings"] if each["degree"] == "proved"]
    leaking = {each["scenario"] for each in findings}
    kept = sorted((flawed.out / "evidence").glob("*/leak.webm"))
    assert sorted(flawed.cells[file.parent.name]["scenario"] for file in kept) == sorted(leaking) != []
    for file in kept:
        owners = {each["owner"] for each in findings if each["trial"] == file.parent.name}
        foreign = {
            int(row["data"]["canary"])
            for row in flawed.ledgers()[file.parent.name]
            if row["action"] == "emit" and row["actor"] in owners
        }
        assert foreign & {pack(each.canary) for each in read(file.read_bytes()).canaries}
        assert (file.parent / "leak.png").read_bytes().startswith(b"\x89PNG")
