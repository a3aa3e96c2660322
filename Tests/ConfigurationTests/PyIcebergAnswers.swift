// SPDX-License-Identifier: Apache-2.0

/// What PyIceberg 0.11.1 (`pyiceberg.utils.config.Config().config`, strictyaml 1.7.3) answers to a `.pyiceberg.yaml` in the home directory and
/// a set of variables, asked in a fresh process each. `null` where it raises an error.
enum PyIcebergAnswers {
  // swift-format-ignore
  static let json = #"""
    [
    {"name": "plain", "yaml": "catalog:\n  prod:\n    type: glue\n    warehouse: s3://bucket/wh\n    glue.region: eu-west-1\n    s3.path-style-access: true\n    s3.connect-timeout: 8080\n    nothing: null\n    tilde: ~\n", "environment": {}, "answer": {"catalog": {"prod": {"type": "glue", "warehouse": "s3://bucket/wh", "glue.region": "eu-west-1", "s3.path-style-access": "true", "s3.connect-timeout": "8080", "nothing": "null", "tilde": "~"}}}},
    {"name": "case", "yaml": "Default-Catalog: Prod\nCATALOG:\n  Prod:\n    S3.Endpoint: HTTP://Host:1\n    s3.write.tags.MyTag: Value\n", "environment": {}, "answer": {"default-catalog": "Prod", "catalog": {"prod": {"s3.endpoint": "HTTP://Host:1", "s3.write.tags.mytag": "Value"}}}},
    {"name": "quoted", "yaml": "catalog:\n  a:\n    x: 'it''s'\n    y: \"tab\\there\"\n    z: a # comment\n    u: a#b\n    empty:\n    q: ''\n    url: http://h:1/p?a=b\n", "environment": {}, "answer": {"catalog": {"a": {"x": "it's", "y": "tab\there", "z": "a", "u": "a#b", "empty": "", "q": "", "url": "http://h:1/p?a=b"}}}},
    {"name": "block", "yaml": "catalog:\n  a:\n    text: |\n      one\n      two\n    folded: >\n      one\n      two\n    multi: one\n      two\n", "environment": {}, "answer": {"catalog": {"a": {"text": "one\ntwo\n", "folded": "one two\n", "multi": "one two"}}}},
    {"name": "comment first", "yaml": "# hello\n---\ncatalog:\n  a:\n    type: glue\n", "environment": {}, "answer": {"catalog": {"a": {"type": "glue"}}}},
    {"name": "flow map", "yaml": "catalog: {a: {type: glue}}\n", "environment": {}, "answer": null},
    {"name": "flow value", "yaml": "catalog:\n  a:\n    type: [glue]\n", "environment": {}, "answer": null},
    {"name": "anchor", "yaml": "catalog:\n  a: &x\n    type: glue\n  b: *x\n", "environment": {}, "answer": null},
    {"name": "scalar anchor", "yaml": "catalog:\n  a:\n    type: &t glue\n", "environment": {}, "answer": null},
    {"name": "tag", "yaml": "catalog:\n  a:\n    type: !!str glue\n", "environment": {}, "answer": null},
    {"name": "duplicate", "yaml": "catalog:\n  a:\n    type: glue\n    type: dynamodb\n", "environment": {}, "answer": null},
    {"name": "duplicate by case", "yaml": "catalog:\n  a:\n    type: glue\n    TYPE: dynamodb\n", "environment": {}, "answer": {"catalog": {"a": {"type": "dynamodb"}}}},
    {"name": "tab", "yaml": "catalog:\n\ta:\n\t\ttype: glue\n", "environment": {}, "answer": null},
    {"name": "bad indent", "yaml": "catalog:\n  a:\n    type: glue\n   warehouse: x\n", "environment": {}, "answer": null},
    {"name": "no colon", "yaml": "catalog:\n  a:\n    type\n", "environment": {}, "answer": {"catalog": {"a": "type"}}},
    {"name": "scalar root", "yaml": "hello\n", "environment": {}, "answer": null},
    {"name": "list root", "yaml": "- a\n- b\n", "environment": {}, "answer": null},
    {"name": "list value", "yaml": "catalog:\n  a:\n    type:\n      - glue\n", "environment": {}, "answer": {"catalog": {"a": {"type": ["glue"]}}}},
    {"name": "nested", "yaml": "catalog:\n  a:\n    s3:\n      endpoint: x\n", "environment": {}, "answer": {"catalog": {"a": {"s3": {"endpoint": "x"}}}}},
    {"name": "catalog scalar", "yaml": "catalog: x\n", "environment": {}, "answer": {"catalog": "x"}},
    {"name": "a scalar", "yaml": "catalog:\n  a: x\n", "environment": {}, "answer": {"catalog": {"a": "x"}}},
    {"name": "two documents", "yaml": "catalog:\n  a:\n    type: glue\n---\ncatalog:\n  b:\n    type: glue\n", "environment": {}, "answer": null},
    {"name": "unclosed", "yaml": "catalog:\n  a:\n    type: \"glue\n", "environment": {}, "answer": null},
    {"name": "brace in value", "yaml": "catalog:\n  a:\n    x: a{b}\n    y: 'a: b'\n", "environment": {}, "answer": {"catalog": {"a": {"x": "a{b}", "y": "a: b"}}}},
    {"name": "merge", "yaml": "catalog:\n  a:\n    <<: b\n", "environment": {}, "answer": null},
    {"name": "colon value", "yaml": "catalog:\n  a:\n    x: a: b\n", "environment": {}, "answer": null},
    {"name": "spaces", "yaml": "catalog:\n  a:\n    x:    padded   \n    y: \"  kept  \"\n", "environment": {}, "answer": {"catalog": {"a": {"x": "padded", "y": "  kept  "}}}},
    {"name": "unicode", "yaml": "catalog:\n  größe:\n    x: ß…\n", "environment": {}, "answer": {"catalog": {"größe": {"x": "ß…"}}}},
    {"name": "access key", "yaml": null, "environment": {"PYICEBERG_CATALOG__A__S3__ACCESS_KEY_ID": "AKIA"}, "answer": {"catalog": {"a": {"s3.access-key-id": "AKIA"}}}},
    {"name": "dash in name", "yaml": null, "environment": {"PYICEBERG_CATALOG__MY_CAT__URI": "u"}, "answer": {"catalog": {"my-cat": {"uri": "u"}}}},
    {"name": "lower case", "yaml": null, "environment": {"pyiceberg_catalog__a__type": "Glue"}, "answer": {"catalog": {"a": {"type": "Glue"}}}},
    {"name": "deep", "yaml": null, "environment": {"PYICEBERG_CATALOG__A__S3__WRITE__TAGS__MY_TAG": "v"}, "answer": {"catalog": {"a": {"s3.write.tags.my-tag": "v"}}}},
    {"name": "triple underscore", "yaml": null, "environment": {"PYICEBERG_CATALOG__A__S3___ENDPOINT": "v"}, "answer": {"catalog": {"a": {"s3.-endpoint": "v"}}}},
    {"name": "name with three", "yaml": null, "environment": {"PYICEBERG_CATALOG___A__TYPE": "v"}, "answer": {"catalog": {"-a": {"type": "v"}}}},
    {"name": "home", "yaml": null, "environment": {"PYICEBERG_HOME": "/nonexistent"}, "answer": {"home": "/nonexistent"}},
    {"name": "single underscore", "yaml": null, "environment": {"PYICEBERG_CATALOG_A__TYPE": "glue"}, "answer": {"catalog-a": {"type": "glue"}}},
    {"name": "empty value", "yaml": null, "environment": {"PYICEBERG_CATALOG__A__TYPE": ""}, "answer": {"catalog": {"a": {"type": ""}}}},
    {"name": "two parts", "yaml": null, "environment": {"PYICEBERG_CATALOG__A": "x"}, "answer": {"catalog": {"a": "x"}}},
    {"name": "one part", "yaml": null, "environment": {"PYICEBERG_CATALOG": "x"}, "answer": {"catalog": "x"}},
    {"name": "empty key", "yaml": null, "environment": {"PYICEBERG_CATALOG__A__": "x"}, "answer": {"catalog": {"a": {"": "x"}}}},
    {"name": "trailing", "yaml": null, "environment": {"PYICEBERG_CATALOG__A__URI_": "x"}, "answer": {"catalog": {"a": {"uri-": "x"}}}},
    {"name": "hyphen", "yaml": null, "environment": {"PYICEBERG_CATALOG__A-B__S3.ENDPOINT": "x"}, "answer": {"catalog": {"a-b": {"s3.endpoint": "x"}}}},
    {"name": "over file", "yaml": "catalog:\n  a:\n    type: glue\n    warehouse: w\n", "environment": {"PYICEBERG_CATALOG__A__TYPE": "dynamodb"}, "answer": {"catalog": {"a": {"type": "dynamodb", "warehouse": "w"}}}},
    {"name": "empty over file", "yaml": "catalog:\n  a:\n    type: glue\n", "environment": {"PYICEBERG_CATALOG__A__TYPE": ""}, "answer": {"catalog": {"a": {"type": ""}}}},
    {"name": "name by case", "yaml": "catalog:\n  PROD:\n    type: glue\n", "environment": {"PYICEBERG_CATALOG__PROD__S3__REGION": "r"}, "answer": {"catalog": {"prod": {"type": "glue", "s3.region": "r"}}}},
    {"name": "through a scalar", "yaml": "catalog:\n  a: x\n", "environment": {"PYICEBERG_CATALOG__A__TYPE": "glue"}, "answer": null},
    {"name": "catalog is a scalar", "yaml": "catalog: x\n", "environment": {"PYICEBERG_CATALOG__A__TYPE": "glue"}, "answer": null},
    {"name": "over a mapping", "yaml": "catalog:\n  a:\n    auth:\n      type: x\n    type: glue\n", "environment": {"PYICEBERG_CATALOG__A__AUTH": "glue"}, "answer": {"catalog": {"a": {"auth": "glue", "type": "glue"}}}}
    ]
    """#
}
