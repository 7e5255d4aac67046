"""The description itself; that others read it is seen in ``tests/readers``."""

import json

from described import MANIFEST, make_output, read

from tamis.pipeline.croissant import croissant


def test_golden():
    found = croissant(MANIFEST, name="Sieved", description="Five records.")
    context = found.pop("@context")
    assert (context["recordSet"], context["prov"]) == ("cr:recordSet", "http://www.w3.org/ns/prov#")
    assert found == {
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": "Sieved",
        "description": "Five records.",
        "rai:dataPreprocessingProtocol": [
            "exact",
            'decontaminate {"benchmarks": [{"name": null, "path": "gsm8k.jsonl"}], "ngram": 13}',
        ],
        "rai:dataCollection": "1 file was read; manifest.json lists what was read.",
        "prov:wasDerivedFrom": [{"@type": "prov:Entity", "prov:label": "in/a.jsonl", "contentSize": "4096 B"}],
        "prov:wasGeneratedBy": [
            {
                "@type": "prov:Activity",
                "prov:label": "exact",
                "description": "removed: 2 rows, 40 bytes, 8 words. exact",
            },
            {
                "@type": "prov:Activity",
                "prov:label": "decontaminate",
                "description": "removed: 0 rows, 0 bytes, 0 words. "
                'decontaminate {"benchmarks": [{"name": null, "path": "gsm8k.jsonl"}], "ngram": 13}',
            },
            {
                "@type": "prov:Activity",
                "prov:label": "not-utf8",
                "description": "quarantined: 1 row, 20 bytes, 4 words.",
            },
            {
                "@type": "prov:Activity",
                "prov:label": "compared with, not written",
                "description": "references: 1 row, 20 bytes, 4 words.",
            },
            {
                "@type": "prov:Activity",
                "prov:label": "not taken",
                "description": "unsampled: 1 row, 20 bytes, 4 words.",
            },
            {
                "@type": "prov:Activity",
                "prov:label": "shards",
                "description": 'written: 5 rows in an order drawn by seed 5. {"group_size": 100, "target_size": 1000}',
            },
        ],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "data/part-00000-of-00001.parquet",
                "name": "data/part-00000-of-00001.parquet",
                "contentUrl": "data/part-00000-of-00001.parquet",
                "contentSize": "800 B",
                "encodingFormat": "application/x-parquet",
                "sha256": "aa",
            },
            {
                "@type": "cr:FileObject",
                "@id": "data/tail.parquet",
                "name": "data/tail.parquet",
                "contentUrl": "data/tail.parquet",
                "contentSize": "300 B",
                "encodingFormat": "application/x-parquet",
                "sha256": "bb",
            },
            {
                "@type": "cr:FileSet",
                "@id": "parquet-files-for-train",
                "name": "files of train",
                "encodingFormat": "application/x-parquet",
                "includes": "data/*.parquet",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "train",
                "name": "train",
                "description": "Split train: 5 rows.",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": "train/body",
                        "name": "body",
                        "description": "Arrow type string.",
                        "dataType": "sc:Text",
                        "source": {"fileSet": {"@id": "parquet-files-for-train"}, "extract": {"column": "body"}},
                    },
                    {
                        "@type": "cr:Field",
                        "@id": "train/tags",
                        "name": "tags",
                        "description": "Arrow type list<element: string>.",
                        "isArray": True,
                        "arrayShape": "-1",
                        "dataType": "sc:Text",
                        "source": {"fileSet": {"@id": "parquet-files-for-train"}, "extract": {"column": "tags"}},
                    },
                ],
            }
        ],
    }


def test_of_a_run(tmp_path):
    found = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        manifest, _ = read(make_output(tmp_path / place))
        found.append(json.dumps(croissant(manifest, name="n", description="d")))
    assert found[0] == found[1]
    assert str(tmp_path) not in found[0]
    described = json.loads(found[0])
    assert [line["@id"] for line in described["recordSet"]] == [line["name"] for line in manifest["sets"]]
    fields = {line["name"]: line for line in described["recordSet"][0]["field"]}
    assert {name: line.get("dataType") for name, line in fields.items()} == {
        "text": "sc:Text",
        "id": "sc:Text",
        "source": "sc:Text",
        "score": "cr:Float64",
        "big": "cr:UInt64",
        "small": "cr:Int8",
        "price": "sc:Float",
        "seen": "sc:DateTime",
        "day": "sc:Date",
        "good": "sc:Boolean",
        "tags": "sc:Text",
        "an odd/name: é": "cr:Float32",
        "page": None,
    }
    set_name = manifest["sets"][0]["name"]
    assert fields["an odd/name: é"]["@id"] == f"{set_name}/an%20odd%2Fname%3A%20%C3%A9"
    assert fields["page"]["subField"][1]["subField"][0]["source"]["transform"] == {"jsonPath": "size.kB"}
