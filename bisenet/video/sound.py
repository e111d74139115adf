"""The sound of a clip, into another: copied where browsers play it from there, else encoded to AAC."""

COPIED = ("aac", "mp3", "opus", "flac")  # what browsers play from an mp4
AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
USUAL_RATE = 48000
MOST_CHANNELS = 8


class Sound:
    """Callable: a packet of the source's stream -> packets for the container; None -> those that were waiting.

    copied: whether nothing is encoded
    """

    def __init__(self, container, stream, av):
        self._av = av
        codec = stream.codec_context
        self.copied = codec.codec.canonical_name in COPIED
        self._last = None
        if self.copied:
            self._out = container.add_stream_from_template(stream)
            # AAC of a broadcast (ADTS); with delay_moov FFmpeg does not see to it by itself.
            adts = codec.codec.canonical_name == "aac" and not codec.extradata
            self._bare = av.bitstream.BitStreamFilterContext("aac_adtstoasc", stream) if adts else None
        else:
            rate = codec.sample_rate if codec.sample_rate in AAC_RATES else USUAL_RATE
            self._out = container.add_stream("aac", rate=rate)
            self._out.layout = codec.layout.name if codec.layout.nb_channels <= MOST_CHANNELS else "stereo"

    def __call__(self, packet):
        if self.copied:
            if packet is None or (self._last is not None and packet.dts <= self._last):
                return []  # times that go backwards cannot be written
            self._last = packet.dts
            packets = self._bare.filter(packet) if self._bare else [packet]
            for packet in packets:
                packet.stream = self._out
            return packets
        try:
            frames = packet.decode() if packet else []
        except self._av.FFmpegError:
            return []  # a damaged packet
        encoded = [made for frame in frames for made in self._out.encode(frame)]
        return encoded if packet else self._out.encode(None)
