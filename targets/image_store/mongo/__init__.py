"""The image store in MongoDB: one database and one database user a client."""

from targets.image_store.mongo.place import Place, place_of
from targets.image_store.mongo.store import MongoImageStore

__all__ = ["MongoImageStore", "Place", "place_of"]
