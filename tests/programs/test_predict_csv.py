"""The list of detections for spreadsheets."""

from nasnet_keras.programs.detect.predict import write_csv


def test_no_cell_is_run_and_numbers_stay_numbers(tmp_path):
    one = {"name": "-dog", "category_id": 1, "score": 0.5, "box": [-1.5, 2.0, 3.0, 4.0]}
    entries = [
        {"file": "=cmd|'/c calc'!A0.png", "detections": [one, one | {"name": "-5"}]},
        {"file": "\udcff.png", "detections": [one | {"name": "a,b"}]},
        {"file": "broken.png", "error": "not an image"},
    ]
    write_csv(tmp_path / "found.csv", entries)
    assert (tmp_path / "found.csv").read_text().splitlines() == [
        "file,name,category_id,score,top,left,bottom,right",
        "'=cmd|'/c calc'!A0.png,'-dog,1,0.5,-1.5,2.0,3.0,4.0",
        "'=cmd|'/c calc'!A0.png,-5,1,0.5,-1.5,2.0,3.0,4.0",
        r'\udcff.png,"a,b",1,0.5,-1.5,2.0,3.0,4.0',
    ]
