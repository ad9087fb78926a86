"""A film of 20 segments of a second, encoded here: VP9 and Opus in fragmented MP4, as HLS and as DASH."""

import functools
import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg

SEGMENTS = 20
# Every Chromium decodes these two; not every one has H.264.
VIDEO = f"""-f lavfi -i testsrc2=size=160x90:rate=10:duration={SEGMENTS} -pix_fmt yuv420p
    -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 60k -g 10 -keyint_min 10""".split()
# Opus begins with a part of a frame, and would end with a segment of its own.
AUDIO = f"-f lavfi -i sine=frequency=330:sample_rate=48000:duration={SEGMENTS - 0.02} -c:a libopus -b:a 32k".split()
HLS = ["-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-start_number", "1"]
TRACKS = {"video": VIDEO, "audio": AUDIO}
FILES = ("init.mp4", *(f"{number}.m4s" for number in range(1, SEGMENTS + 1)))

MASTER = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="tone",DEFAULT=YES,AUTOSELECT=YES,URI="{audio}/media.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=120000,CODECS="vp09.00.10.08,opus",RESOLUTION=160x90,AUDIO="audio"
{video}media.m3u8
"""
MANIFEST = f"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static"
    mediaPresentationDuration="PT{SEGMENTS}S" minBufferTime="PT2S">
  <Period>
    <AdaptationSet contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1">
      <SegmentTemplate duration="1" startNumber="1" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s"/>
      <Representation id="video" codecs="vp09.00.10.08" bandwidth="90000" width="160" height="90"/>
    </AdaptationSet>
    <AdaptationSet contentType="audio" mimeType="audio/mp4" segmentAlignment="true" startWithSAP="1">
      <SegmentTemplate duration="1" startNumber="1" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s"/>
      <Representation id="audio" codecs="opus" bandwidth="50000" audioSamplingRate="48000"/>
    </AdaptationSet>
  </Period>
</MPD>
"""
TYPES = {".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml"}


def _encode(folder):
    for track, options in TRACKS.items():
        place = folder / track
        place.mkdir()
        names = ("-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename", place / "%d.m4s", place / "media.m3u8")
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", *options, *HLS, *names]
        subprocess.run(command, check=True, timeout=60)


@functools.cache
def files():
    """The content of each file, by its path in the film's folder."""
    made = {
        "master.m3u8": MASTER.format(audio="audio", video="video/").encode(),
        # Its audio is in a folder beside its own.
        "video/master.m3u8": MASTER.format(audio="../audio", video="").encode(),
        "manifest.mpd": MANIFEST.encode(),
    }
    with tempfile.TemporaryDirectory() as folder:
        _encode(Path(folder))
        for track in TRACKS:
            for name in (*FILES, "media.m3u8"):
                made[f"{track}/{name}"] = (Path(folder) / track / name).read_bytes()
    return made


def content_type(path):
    return TYPES.get(Path(path).suffix, "video/mp4")
