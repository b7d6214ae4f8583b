"""Objects of S3, Google Cloud Storage and Azure, by the library ``obstore``.

The environment has the credentials, endpoint and region under the names of that library.
"""

from catdog_stream.errors import FetchError, Reason, SettingError
from catdog_stream.fetching.body import Reserve
from catdog_stream.settings.allowed_references import Bucket

__all__ = ["OpenBucket"]


class OpenBucket:
    """Bucket whose objects are read. It keeps its connections.

    Args:
        bucket: the bucket; its prefix is not checked here.

    Raises:
        SettingError: the library is missing, or the environment lacks a value.
    """

    def __init__(self, bucket: Bucket) -> None:
        try:
            import obstore
            from obstore.store import AzureStore, GCSStore, S3Store
        except ImportError:
            raise SettingError(
                f"CATDOG_FETCH names {bucket.scheme}://, which needs the library obstore: "
                "pip install 'catdog-stream[stores]'."
            ) from None
        kind = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[bucket.scheme]
        try:
            # The caller tries again, with a limit of time.
            self._store = kind(bucket.name, retry_config={"max_retries": 0})
        except Exception as error:
            name = f"{bucket.scheme}://{bucket.name}"
            raise SettingError(f"CATDOG_FETCH={name} cannot be opened: {_first(error)}.") from error
        self._get = obstore.get_async
        self._errors = obstore.exceptions

    async def read(self, key: str, max_bytes: int, reserve: Reserve) -> bytes:
        """Return the object with a key.

        Raises:
            FetchError: there is none, it is too large, or it cannot be read.
        """
        try:
            found = await self._get(self._store, key)
            size = found.meta["size"]
            if size > max_bytes:
                raise FetchError(
                    f"The object has {size} bytes, more than {max_bytes}.", Reason.TOO_LARGE
                )
            await reserve(size)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise FetchError("There is no such object.", Reason.REFERENCE_NOT_FOUND) from None
        except ValueError:
            raise FetchError("The key cannot be read.", Reason.BAD_REFERENCE) from None
        except (self._errors.PermissionDeniedError, self._errors.UnauthenticatedError):
            raise FetchError(
                "The object store denies the access.", Reason.REFERENCE_DENIED
            ) from None
        except self._errors.BaseError as error:  # its text may quote the credentials' request
            raise FetchError(
                "The object store does not answer, or not with the object.", passes=True
            ) from error


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [repr(error)])[0].rstrip(".")
