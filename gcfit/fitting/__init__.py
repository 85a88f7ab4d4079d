"""From a chromatogram to fitted peaks: `baseline`, `detect`, `windows`, `models`, `fit`, `select`, `suitability`."""
