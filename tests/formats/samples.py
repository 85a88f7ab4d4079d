"""Small files in the layout of every reader, made here; the numbers are those of `TIME` and `SIGNAL`."""

import base64
import io
import json
import struct
from pathlib import Path

import numpy as np
from scipy.io import netcdf_file

N = 40
TIME = np.round(np.arange(N) * 0.6, 6)  # s; 0.01 min
SIGNAL = np.round(1000 * np.exp(-0.5 * ((np.arange(N) - 17) / 4) ** 2) + 5, 3)
MINUTES = [f"{i / 100:.5f}" for i in range(N)]


def rows(delimiter: str, decimal: str = ".", end: str = "\n", middle: str | None = None) -> str:
    """Minutes and signal, one pair a line."""
    between = delimiter if middle is None else f"{delimiter}{middle}{delimiter}"
    pairs = ((t.replace(".", decimal), f"{y:.3f}".replace(".", decimal)) for t, y in zip(MINUTES, SIGNAL, strict=True))
    return "".join(t + between + y + end for t, y in pairs)


def ezchrom(delimiter: str = "\t") -> bytes:
    d = delimiter
    keys = [
        f"Version:{d}3", f"Maxchannels:{d}2", f"Sample ID:{d}a{d}b", f"Sampling Rate:{d}2.0{d}0.5{d}Hz",
        f"Total Data Points:{d}4{d}3{d}Pts.", f"X Axis Title:{d}Minutes{d}Minutes", f"Y Axis Title:{d}pA{d}25 µV",
        f"X Axis Multiplier:{d}0.016667{d}0.016667", f"Y Axis Multiplier:{d}0.5{d}0.001",
    ]  # fmt: skip
    return "\n".join([*keys, *map(str, [10, -20, 30, 40, 1000, 2000, 3000])]).encode("latin-1") + b"\n"


def chromeleon(version: int = 7, decimal: str = ",") -> bytes:
    if version == 7:
        top = "File Path\tchrom://x\r\nChannel\tED_1\r\n\r\nInjection Information:\r\nVolume (µl)\t25,0\r\n"
        top += f"Data Points\t{N}\r\nSignal Unit\tnC\r\n\r\nChromatogram Data:\r\nTime (min)\tStep (s)\tValue (nC)\r\n"
        body = rows("\t", decimal, "\r\n", "n.a.")
        return (top + body).encode("utf-8-sig")
    top = "Filepath\tC:\\x.acd\r\nChannel\tUV_VIS_1\r\nVolume (µl)\t10,00\r\n" + f"Data Points\t{N}\r\n" + "\r\n" * 20
    top += "Raw Data:\r\nTime(min)\tStep(sec)\tValue(mAU)\r\n"
    return (top + rows("\t", decimal, "\t\r\n", f"0{decimal}60")).encode("cp1252")


def shimadzu(delimiter: str = "\t") -> bytes:
    d = delimiter
    text = f"[Header]\nApplication Name{d}LabSolutions\n\n[Configuration]\n# of Detectors{d}2\n\n"
    names = ["Peak#", "R.Time", "I.Time", "F.Time", "Area", "Height", "A/H", "Mark", "Name"]
    text += "[Peak Table(Detector A)]\n# of Peaks" + f"{d}2\n" + d.join(names) + "\n"
    text += "1,0.170,0.100,0.250,6015,1000,6,  ,benzene\n2,0.300,0.280,0.350,15,10,1.5, V ,\n\n".replace(",", d)
    for name, factor in (("LC Chromatogram(Detector A-Ch1)", "0.001"), ("LC Chromatogram(AD2)", "2")):
        text += f"[{name}]\nInterval(msec){d}600\n# of Points{d}{N}\nStart Time(min){d}0.000\nIntensity Units{d}mV\n"
        text += f"Intensity Multiplier{d}{factor}\nR.Time (min){d}Intensity\n{rows(d)}\n"
    text += (
        f"[LC Status Trace(Oven Temp.)]\n# of Points{d}{N}\nIntensity Units{d}C\nR.Time (min){d}Intensity\n{rows(d)}\n"
    )
    return text.encode()


def gcms() -> bytes:
    text = "[Header]\nData File Name\tC:\\x.qgd\n\n[MC Peak Table]\n# of Peaks\t1\nMass\tTIC\n"
    text += (
        "Peak#\tRet.Time\tProc.From\tProc.To\tMass\tArea\tHeight\tName\n1\t0.17\t0.1\t0.25\tTIC\t6015\t1000\tcamphor\n"
    )
    for mass in ("1-1 TIC", "1-1 TIC", "1-2 87.00"):
        text += f"[MS Chromatogram]\nm/z\t{mass}\n# of Points\t{N}\nStart Time(min)\t0\n"
        text += "Ret.Time\tAbsolute Intensity\tRelative Intensity\n" + rows("\t").replace("\n", "\t1.5\n") + "\n"
    return text.encode()


def masshunter() -> bytes:
    text = ""
    for run in ("a.D", "b.D"):
        text += '"Path","File","Date Acquired","Sample","Misc"\n' + f'"C:\\d\\","{run}","04 Sep 2019","x"," "\n'
        text += f'"TIC: {run}\\data.ms"\n{rows(",")}"Signal: {run}\\FID2B.ch"\n{rows(",")}'
    return text.encode()


def data_analysis(delimiter: str = ",") -> bytes:
    return (
        f"D:\\run-1.D 06 Jun 24  02:53 pm\r\nStart of data points\r\n{rows(delimiter, end=chr(13) + chr(10))}".encode()
    )


def wavelengths() -> bytes:
    return (",220.00000,254.00000\r\n" + rows(",", end=",7.5\r\n")).encode("utf-16")


def empower() -> bytes:
    return ('"SampleName"\t"Channel"\r"SEC 08"\t"2475 ex280"\r' + rows("\t", end="\r")).encode()


def jcamp_scans() -> bytes:
    text = "##TITLE= x\n##JCAMP-DX= 5\n##XUNITS= Daltons\n"
    for i, (t, y) in enumerate(zip(MINUTES, SIGNAL, strict=True)):
        text += f"##SCAN_NUMBER= {i}\n##RETENTION_TIME= {t}\n##TIC= {y}\n#NPOINTS= 2\n##XYDATA= (XY..XY)\n14 4\n15 40\n"
    return text.encode()


def jcamp_table(pairs: bool) -> bytes:
    text = "##TITLE= x\n##JCAMP-DX= 4.24\n##DATA TYPE= GAS CHROMATOGRAM\n##XUNITS= SECONDS\n##YUNITS= MILLIVOLTS\n"
    text += f"##XFACTOR= 0.1\n##YFACTOR= 0.001\n##FIRSTX= 0\n##LASTX= {TIME[-1]}\n##NPOINTS= {N}\n"
    y = [round(1000 * value) for value in SIGNAL]
    if pairs:
        text += "##XYPOINTS= (XY..XY)\n" + "".join(f"{6 * i}, {v}; " for i, v in enumerate(y))
    else:
        text += "##XYDATA= (X++(Y..Y))\n"
        text += "".join(f"{6 * i} {' '.join(map(str, y[i : i + 8]))}\n" for i in range(0, N, 8))
    return (text + "\n##END=\n").encode()


def fusion() -> bytes:
    peaks = [{"label": "H2", "start": 0.2, "top": 0.4, "end": 0.7, "area": 5.5, "height": 2}, {"area": 1}]
    module = {"nValuesPerSecond": 50, "values": SIGNAL.tolist(), "analysis": {"peaks": peaks}}
    return json.dumps({"methodName": "m", "detectors": {"moduleA:tcd": module, "moduleB:tcd": {"values": []}}}).encode()


def gaml() -> bytes:
    def values(array: np.ndarray, kind: str, order: str) -> str:
        raw = base64.b64encode(array.astype({"INTEL": "<", "MOTOROLA": ">"}[order] + kind).tobytes()).decode()
        return f'<values byteorder="{order}" format="FLOAT{8 * int(kind[1])}">\n{raw[:60]}\n{raw[60:]}</values>'

    return f"""<?xml version="1.0" encoding="UTF-8"?>
<GAML version="1.00"><experiment name="e"><trace name="A" technique="CHROM">
<Xdata units="MINUTES" valueorder="EVEN">{values(TIME / 60, "f8", "INTEL")}
<Ydata units="UNKNOWN">{values(SIGNAL, "f4", "MOTOROLA")}
<peaktable><peak number="1" name="C1"><parameter name="PK_AREA">99.5</parameter>
<parameter name="PK_RET_TIME">10.5</parameter><peakXvalue>0.17</peakXvalue>
<baseline><startXvalue>0.1</startXvalue><endXvalue>0.3</endXvalue></baseline></peak>
<peak number="2"><peakXvalue>0.2</peakXvalue></peak></peaktable></Ydata></Xdata></trace></experiment></GAML>
""".encode()


def andi(unit: str = "seconds", step: float = 0.6, mass_spectra: bool = False) -> bytes:
    out = io.BytesIO()
    file = netcdf_file(out, "w")
    file.createDimension("point_number", N)
    file.createDimension("peak_number", 2)
    file.createDimension("_16", 16)
    time, signal = ("scan_acquisition_time", "total_intensity") if mass_spectra else ("raw", "ordinate_values")
    file.createVariable(signal, "f", ("point_number",))[:] = SIGNAL
    if mass_spectra:
        file.createVariable(time, "d", ("point_number",))[:] = TIME
    else:
        file.detector_unit, file.retention_unit = "uV", unit
        for name, value in (("actual_sampling_interval", step), ("actual_delay_time", 0.0)):
            file.createVariable(name, "f", ())[...] = value
        factor = step / 0.6
        for name, pair in (("retention_time", (10.2, 18.0)), ("start_time", (6.0, 500.0)), ("end_time", (15.0, 600.0))):
            file.createVariable(f"peak_{name}", "f", ("peak_number",))[:] = np.array(pair) * factor
        for name, pair in (("area", (6015.0, np.nan)), ("height", (1000.0, 5.0))):
            file.createVariable(f"peak_{name}", "f", ("peak_number",))[:] = pair
        names = np.zeros((2, 16), "S1")
        names[0, :7] = list("toluene")
        file.createVariable("peak_name", "c", ("peak_number", "_16"))[:] = names
    file.flush()
    return out.getvalue()


def channel(version: bytes = b"179") -> bytes:
    """A ChemStation channel as rainbow-api documents it."""
    head = bytearray(0x1800)
    head[0:4] = b"\x03" + version
    struct.pack_into(">ff", head, 0x11A, 0.0, float(TIME[-1] * 1000))
    head[0x104C : 0x104C + 5] = b"\x02p\0A\0"
    struct.pack_into(">d", head, 0x127C, 0.5 if version == b"179" else 0.001)
    if version == b"179":
        return bytes(head) + (SIGNAL * 2).astype("<f8").tobytes()
    body = b"".join(struct.pack(">hhi", 0x7FFF, 0, round(1000 * value)) for value in SIGNAL)
    return bytes(head) + body + b"\0\0"


def delimited() -> bytes:
    return ("Zeit (min);Signal (pA)\r\n" + rows(";", ",", "\r\n")).encode("cp1252")


def long_form() -> bytes:
    lines = (f'"{t}"\t{y}\t"x.lcd"\t"{d}"\n' for d in ("FID", "RID") for t, y in zip(MINUTES, SIGNAL, strict=True))
    return ('"Minutes"\t"Intensity"\t"File"\t"Detector"\n' + "".join(lines)).encode()


REPORT = """Data File C:\\x.D
Signal 1: FID1 A, Front

Peak RetTime Type  Width     Area      Height     Area
  #   [min]        [min]   [pA*s]      [pA]         %
----|-------|----|-------|----------|----------|--------|
   1   2.824 BB S  0.0881 4.57137e4  7718.08594 97.91525
Totals :                  4.57e4
Signal 2: TCD2 B, Back

Peak RetTime  Type   Width     Area      Area    Name
  #   [min]          [min]  [25 uV*s]      %
----|-------|------|-------|----------|--------|---------------------
   1   5.740 MM N    0.5441 1809.60596 19.38363 H2
Totals :
"""

RESULTS = r"""[contents]
count=1
1=,INT TIC: a.D\data.ms
[INT TIC: a.D\data.ms]
Header=,"Peak","R.T.","First","Max","Last","PK  TY","Height","Area","Pct Max","Pct Total"
1=,  1,  0.1,  2, 5, 8,"  M ",1861939, 15635678,100.00, 61.453
2=,  2,  0.2,  7, 8, 90,"  M ",1, 2,100.00, 61.453
"""

RESULT_XML = (
    "<ChemStationResult><Signal><Description>FID1 A, x</Description><XUnits>min</XUnits><IntegrationResults>"
    "<RetTime>2</RetTime><Area>5</Area><TimeStart>1.5</TimeStart></IntegrationResults><IntegrationResults/>"
    "</Signal></ChemStationResult>"
)

REPORTS: dict[str, bytes] = {
    "Result.xml": RESULT_XML.encode("utf-16"),
    "RESULTS.CSV": RESULTS.encode(),
    "REPORT01.CSV": b'1,2.5,"BB S",0.08,45713.5,7718.25,97.9\r\n2,5.74,"MM N",0.5,1809.6,2.1,"H2"\r\n',
    "Report.TXT": REPORT.encode("utf-16"),
}

SAMPLES: dict[str, tuple[str, bytes]] = {
    "delimited": ("delimited", delimited()),
    "long form": ("delimited", long_form()),
    "ezchrom": ("ezchrom", ezchrom()),
    "ezchrom, commas": ("ezchrom", ezchrom(",")),
    "chromeleon 7": ("chromeleon", chromeleon()),
    "chromeleon 6.8": ("chromeleon", chromeleon(6)),
    "shimadzu": ("shimadzu", shimadzu()),
    "shimadzu, commas": ("shimadzu", shimadzu(",")),
    "gcms": ("shimadzu", gcms()),
    "masshunter": ("agilent-csv", masshunter()),
    "data analysis": ("agilent-csv", data_analysis()),
    "data analysis, tabs": ("agilent-csv", data_analysis(" \t ")),
    "wavelengths": ("agilent-csv", wavelengths()),
    "empower": ("empower", empower()),
    "jcamp scans": ("jcamp", jcamp_scans()),
    "jcamp ordinates": ("jcamp", jcamp_table(pairs=False)),
    "jcamp pairs": ("jcamp", jcamp_table(pairs=True)),
    "fusion": ("fusion", fusion()),
    "gaml": ("gaml", gaml()),
    "andi": ("andi", andi()),
    "andi, minutes": ("andi", andi("Minutes", 0.01)),
    "andi mass spectra": ("andi", andi(mass_spectra=True)),
    "channel 179": ("agilent-ch", channel()),
    "channel 181": ("agilent-ch", channel(b"181")),
}


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
