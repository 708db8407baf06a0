"""Small datasets in Pascal VOC's layout, written for tests."""

from PIL import Image


def write_voc(root, objects, name="000001", doctype=""):
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (80, 60)).save(root / "JPEGImages" / f"{name}.jpg")
    parts = "".join(
        f"<object><name>{kind}</name><difficult>{difficult}</difficult><bndbox>"
        + "".join(
            f"<{edge}>{value}</{edge}>"
            for edge, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        )
        + "</bndbox><part><name>head</name><bndbox><xmin>1</xmin></bndbox></part></object>"
        for kind, box, difficult in objects
    )
    (root / "Annotations" / f"{name}.xml").write_text(
        f"{doctype}<annotation><size><width>80</width><height>60</height><depth>3</depth></size>"
        f"{parts}</annotation>"
    )
    with (root / "ImageSets" / "Main" / "train.txt").open("a") as file:
        file.write(f"{name}\n")
    return root
