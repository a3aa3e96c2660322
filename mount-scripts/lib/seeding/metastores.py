# SPDX-License-Identifier: Apache-2.0
"""The two metastores behind one small interface: `catalog` (PyIceberg), `repoint`, `pointers`, `put_hidden_entries`."""

import time
import uuid

from botocore.exceptions import ClientError
from pyiceberg.catalog.dynamodb import DynamoDbCatalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import CommitTableResponse

GLUE_INPUT_MEMBERS = (
    "Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "ViewOriginalText",
    "ViewExpandedText", "TableType", "Parameters", "TargetTable",
)  # fmt: skip


class GlueMetastore:
    kind = "glue"

    def __init__(self, connection, warehouse):
        self.warehouse = warehouse
        self.client = connection.client("glue")
        self.catalog = GlueCatalog("seed", warehouse=warehouse, **connection.catalog_properties())

    def entry(self, namespace, table):
        return self.client.get_table(DatabaseName=namespace, Name=table)["Table"]

    def pointers(self, namespace, table):
        """(metadata_location, previous_metadata_location or None)."""
        parameters = self.entry(namespace, table)["Parameters"]
        return parameters["metadata_location"], parameters.get("previous_metadata_location")

    def repoint(self, namespace, table, location):
        """Moves the table pointer the way a committing writer does, with the entry's version as the guard."""
        entry = self.entry(namespace, table)
        parameters = dict(entry["Parameters"])
        parameters.update(metadata_location=location, previous_metadata_location=parameters["metadata_location"])
        self.update(namespace, entry, parameters)

    def mark_in_lower_case(self, namespace, table):
        """`table_type` counts in any case; some writers use the lower one."""
        entry = self.entry(namespace, table)
        self.update(namespace, entry, dict(entry["Parameters"], table_type="iceberg"))

    def update(self, namespace, entry, parameters):
        table_input = {name: entry[name] for name in GLUE_INPUT_MEMBERS if entry.get(name)}
        table_input["Parameters"] = parameters
        self.client.update_table(
            DatabaseName=namespace, TableInput=table_input, SkipArchive=True, VersionId=entry["VersionId"]
        )

    def put_pointer(self, namespace, table, location):
        """A new entry that points at a metadata file, with no more than a reader needs."""
        parameters = {"table_type": "ICEBERG", "metadata_location": location}
        table_input = {"Name": table, "TableType": "EXTERNAL_TABLE", "Parameters": parameters, "StorageDescriptor": {"Columns": []}}
        self.client.create_table(DatabaseName=namespace, TableInput=table_input)

    def put_hidden_entries(self, namespace):
        """Entries that are no Iceberg tables, or not yet: none may be shown. Returns their names."""
        location = f"{self.warehouse}/{namespace}.db"
        hive = {
            "Name": "web_log",
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "json", "EXTERNAL": "TRUE"},
            "PartitionKeys": [{"Name": "day", "Type": "string"}],
            "StorageDescriptor": {
                "Location": f"{location}/web_log",
                "Columns": [{"Name": "line", "Type": "string"}],
                "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
            },
        }
        view = {"Name": "orders_view", "TableType": "VIRTUAL_VIEW", "Parameters": {"table_type": "iceberg-view"}}
        half_made = {
            "Name": "half_made",
            "Parameters": {"table_type": "iceberg"},
            "StorageDescriptor": {"Location": f"{location}/half_made"},
        }
        for table_input in (hive, view, half_made):
            self.client.create_table(DatabaseName=namespace, TableInput=table_input)
        return ["web_log", "orders_view", "half_made"]


class CommittingDynamoDbCatalog(DynamoDbCatalog):
    """PyIceberg's catalog creates tables but cannot commit to them: this adds the conditional update of the item that Java does."""

    def commit_table(self, table, requirements, updates):
        namespace, name = self.identifier_to_database_and_table(table.name())
        item = self._get_iceberg_table_item(database_name=namespace, table_name=name)
        current = self._convert_dynamo_table_item_to_iceberg_table(dynamo_table_item=item)
        staged = self._update_and_stage_table(current, table.name(), requirements, updates)
        if staged.metadata == current.metadata:
            return CommitTableResponse(metadata=current.metadata, metadata_location=current.metadata_location)
        self._write_metadata(staged.metadata, staged.io, staged.metadata_location)
        try:
            move_pointer(self.dynamodb, self.dynamodb_table_name, item, staged.metadata_location)
        except ClientError as error:
            raise CommitFailedException(f"{namespace}.{name} changed meanwhile") from error
        return CommitTableResponse(metadata=staged.metadata, metadata_location=staged.metadata_location)


def move_pointer(client, table_name, item, location):
    """One UpdateItem guarded by `v`."""
    client.update_item(
        TableName=table_name,
        Key={"identifier": item["identifier"], "namespace": item["namespace"]},
        UpdateExpression="SET #m = :m,#p = :p,#t = :t,updated_at = :uat,v = :uv",
        ConditionExpression="v = :v",
        ExpressionAttributeNames={
            "#m": "p.metadata_location",
            "#p": "p.previous_metadata_location",
            "#t": "p.table_type",
        },
        ExpressionAttributeValues={
            ":m": {"S": location},
            ":p": item["p.metadata_location"],
            ":t": {"S": "ICEBERG"},
            ":uat": now(),
            ":uv": {"S": str(uuid.uuid4())},
            ":v": item["v"],
        },
    )


def now():
    return {"N": str(int(time.time() * 1000))}


class DynamoDbMetastore:
    kind = "dynamodb"

    def __init__(self, connection, warehouse):
        self.warehouse = warehouse
        self.client = connection.client("dynamodb")
        self.catalog = CommittingDynamoDbCatalog(
            "seed", client=self.client, warehouse=warehouse, **connection.catalog_properties()
        )
        self.table_name = self.catalog.dynamodb_table_name

    def entry(self, namespace, table):
        key = {"identifier": {"S": f"{namespace}.{table}"}, "namespace": {"S": namespace}}
        return self.client.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)["Item"]

    def pointers(self, namespace, table):
        """(metadata_location, previous_metadata_location or None); PyIceberg leaves an empty string for none."""
        item = self.entry(namespace, table)
        return item["p.metadata_location"]["S"], item.get("p.previous_metadata_location", {"S": ""})["S"] or None

    def repoint(self, namespace, table, location):
        move_pointer(self.client, self.table_name, self.entry(namespace, table), location)

    def put(self, identifier, namespace, properties):
        """A new item as Java writes it: the five fixed attributes and only the given properties."""
        item = {"identifier": {"S": identifier}, "namespace": {"S": namespace}, "v": {"S": str(uuid.uuid4())}}
        item["created_at"] = item["updated_at"] = now()
        item.update({f"p.{key}": {"S": value} for key, value in properties.items()})
        self.client.put_item(TableName=self.table_name, Item=item, ConditionExpression="attribute_not_exists(v)")

    def put_namespace(self, namespace, properties):
        self.put("NAMESPACE", namespace, properties)

    def put_table(self, namespace, table, properties):
        self.put(f"{namespace}.{table}", namespace, properties)

    def put_pointer(self, namespace, table, location):
        self.put_table(namespace, table, {"table_type": "ICEBERG", "metadata_location": location})

    def adopt(self, source, namespace, table):
        """Moves the entry of PyIceberg's table `source` (namespace, name) to an item of Java's shape in any namespace, under any name."""
        location, previous = self.pointers(*source)
        properties = {"table_type": "ICEBERG", "metadata_location": location}
        if previous:
            properties["previous_metadata_location"] = previous
        self.catalog.drop_table(source)
        self.put_table(namespace, table, properties)

    def put_hidden_entries(self, namespace):
        self.put_table(namespace, "half_made", {"table_type": "iceberg"})
        self.put_table(namespace, "web_log", {"table_type": "HIVE", "metadata_location": f"{self.warehouse}/web_log"})
        return ["half_made", "web_log"]
