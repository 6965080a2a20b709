"""The errors that users can do something about. Every message says what is wrong and what to do."""


class FacialExpressionError(Exception):
    """Base of all errors that this project raises on purpose."""


class ConfigError(FacialExpressionError):
    """A setting is unknown, of the wrong type or out of range."""


class ModelError(FacialExpressionError):
    """The model's files are missing, broken, or do not fit this application."""


class NotExplainedError(ModelError):
    """The model cannot say where in a face it looked."""


class SourceError(FacialExpressionError):
    """A video source cannot be opened or read."""


class UnknownFormatError(SourceError):
    """What a video source gives is in no format that is known."""


class TransportRefusedError(SourceError):
    """A camera does not send its pictures in the way that it was asked for."""


class ImageError(FacialExpressionError):
    """An uploaded picture cannot be read, or is larger than allowed."""


class DatasetError(FacialExpressionError):
    """A training dataset is missing or not in a known form."""


class TrainingError(FacialExpressionError):
    """A training cannot go on from what its folder of checkpoints holds."""


class ImageTypeError(ImageError):
    """An uploaded file is not a picture of a kind that can be read."""


class ImageSizeError(ImageError):
    """A picture is larger than allowed."""


class VideoSizeError(SourceError):
    """A video is larger or longer than allowed."""


class ResultsError(FacialExpressionError):
    """Results cannot be written, or would overwrite something."""


class FacesChangeError(FacialExpressionError):
    """The faces of a video's results cannot be named, merged or split in this way."""


class ClusterError(FacialExpressionError):
    """Files cannot be analysed on a cluster of computers."""


class AnalysisCancelledError(FacialExpressionError):
    """The user stopped an analysis; nothing was kept."""


class OutputError(FacialExpressionError):
    """A receiver of live figures cannot be reached, or is not there any more."""


class ServerError(FacialExpressionError):
    """The web server cannot listen where it should."""


class QueueFullError(FacialExpressionError):
    """There are as many videos as may be kept at once."""


class ProbabilityError(FacialExpressionError):
    """Numbers are no probabilities of the seven expressions."""


class RestError(FacialExpressionError):
    """A resting face cannot be made of what was given."""


class MissingLibraryError(FacialExpressionError):
    """A library that a command needs is not installed."""


class StudyError(FacialExpressionError):
    """A list of markers or groups, or what was coded by hand, cannot be used as it is."""
